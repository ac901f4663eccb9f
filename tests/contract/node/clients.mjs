// The real clients for Node against a server: node clients.mjs CASE ADDRESS. Prints one JSON line, which
// the pytest that started it reads. Packages come from .deps/node by NODE_PATH's own folder.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , name, address, picture, mask] = process.argv;
const require = createRequire(`${process.env.LIMNER_NODE_PACKAGES}/`);
const load = async (id) => import(pathToFileURL(require.resolve(id)));

const quick = { num_inference_steps: 2, seed: 7 };
const prompt = 'a red apple';

async function openai() {
  const { default: OpenAI } = await load('openai');
  return { OpenAI, client: new OpenAI({ baseURL: `${address}/v1`, apiKey: 'unused', maxRetries: 0 }) };
}

// What a test looks at of an error: the class a program would catch, and what it was told.
async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, param: error.param, code: error.code };
  }
  throw new Error('nothing was refused');
}

async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

const cases = {
  async generate() {
    const { client } = await openai();
    return client.images.generate({ prompt, response_format: 'b64_json', n: 2, ...quick });
  },
  async models() {
    const { client } = await openai();
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids, one: (await client.models.retrieve('emoji-256')).id };
  },
  // A file stream is sent as it is read: chunked, without Content-Length.
  async edit() {
    const { client } = await openai();
    const image = createReadStream(picture);
    return client.images.edit({ image, prompt, response_format: 'b64_json', strength: 0.5, ...quick });
  },
  async editWithMask() {
    const { client } = await openai();
    return client.images.edit({
      model: 'gpt-image-1', image: [createReadStream(picture)], mask: createReadStream(mask),
      prompt, size: 'auto', quality: 'low', n: 1, ...quick,
    });
  },
  async variation() {
    const { client } = await openai();
    return client.images.createVariation({ image: createReadStream(picture), response_format: 'b64_json', ...quick });
  },
  async streams() {
    const { client } = await openai();
    const options = { prompt, stream: true, partial_images: 1, ...quick, num_inference_steps: 4 };
    return {
      generated: await collect(await client.images.generate(options)),
      edited: await collect(await client.images.edit({ ...options, image: createReadStream(picture) })),
    };
  },
  async errors() {
    const { client } = await openai();
    return {
      size: await errorOf(client.images.generate({ prompt, size: 'banana' })),
      model: await errorOf(client.images.generate({ prompt, model: 'no-such-model' })),
      image: await errorOf(client.images.edit({ prompt, image: new File(['no picture'], 'a.png') })),
      images: await errorOf(
        client.images.edit({ prompt, image: [createReadStream(picture), createReadStream(picture)] })),
      stream: await errorOf(client.images.generate({ prompt: '', stream: true })),
    };
  },
  async fallbacks() {
    const { client } = await openai();
    return client.images.edit({
      image: createReadStream(picture), prompt, model: 'no-such-model', fallbacks: ['emoji-256'],
      response_format: 'b64_json', strength: 0.5, ...quick,
    });
  },
  async aiSdkGenerate() {
    const { generateImage, provider } = await aiSdk();
    const { images } = await generateImage({
      model: provider.imageModel('emoji-256'), prompt, n: 2, size: '256x256', seed: 7,
      providerOptions: { limner: { num_inference_steps: 2 } },
    });
    return images.map((image) => image.base64);
  },
  async aiSdkEdit() {
    const { generateImage, provider } = await aiSdk();
    const { readFileSync } = await import('node:fs');
    const { images } = await generateImage({
      model: provider.imageModel('emoji-256'),
      prompt: { text: prompt, images: [readFileSync(picture)], mask: readFileSync(mask) },
      providerOptions: { limner: { num_inference_steps: 4 } },
    });
    return images.map((image) => image.base64);
  },
  async aiSdkError() {
    const { generateImage, provider } = await aiSdk();
    try {
      await generateImage({ model: provider.imageModel('emoji-256'), prompt, size: '250x250', maxRetries: 0 });
    } catch (error) {
      return { status: error.statusCode, message: error.message };
    }
    throw new Error('nothing was refused');
  },
};

async function aiSdk() {
  const ai = await load('ai');
  const { createOpenAICompatible } = await load('@ai-sdk/openai-compatible');
  const provider = createOpenAICompatible({ name: 'limner', baseURL: `${address}/v1`, apiKey: 'unused' });
  return { generateImage: ai.generateImage ?? ai.experimental_generateImage, provider };
}

console.log(JSON.stringify(await cases[name]()));
