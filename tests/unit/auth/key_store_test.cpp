#include "auth/key_store.hpp"

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "support/manual_clock.hpp"
#include "support/temp_dir.hpp"

namespace limner::auth {
namespace {

using namespace std::string_literals;
using std::chrono::seconds;

class KeyStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<KeyStore> open() {
    auto store = KeyStore::open(path_, clock_);
    EXPECT_TRUE(store) << store.error().message << store.error().detail;
    return std::move(*store);
  }
  static int mode_of(const std::filesystem::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : -1;
  }

  TempDir folder_;
  std::filesystem::path path_ = folder_ / "keys.db";
  std::filesystem::path pepper_path_ = folder_ / "keys.db.pepper";
  test::ManualClock clock_;
};

TEST(Key, IsLongRandomAndReadable) {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    const auto key = make_key();
    EXPECT_EQ(key.size(), 46u);
    EXPECT_TRUE(key.starts_with("ik-"));
    EXPECT_EQ(
        key.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 3),
        key.npos);
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), 100u);
  EXPECT_EQ(key_prefix("ik-abcdefgh"), "abcdef");
  EXPECT_EQ(key_prefix("ik"), "");
}

TEST(Key, DigestIsHmacSha256) {
  // First and last byte from Python: hmac.new(b'\x0b' * 32, text, 'sha256').
  Pepper pepper{};
  pepper.fill(0x0b);
  const auto digest = hash_key(pepper, "what do ya want for nothing?");
  EXPECT_EQ(digest[0], 0xc3);
  EXPECT_EQ(digest[31], 0xd8);
  EXPECT_TRUE(are_equal(digest, digest));
  auto other = digest;
  other[31] ^= 1;
  EXPECT_FALSE(are_equal(digest, other));
}

TEST_F(KeyStoreTest, NamesArePlainText) {
  const auto store = open();
  for (const auto& name : {std::string("a\nb"), std::string("\x1b[31mred"), std::string("a\0b", 3),
                           std::string("\x7f"), std::string("\xC2\x9B"), std::string("\xff"),
                           std::string("a\u2028b"), std::string(201, 'n')}) {
    EXPECT_FALSE(store->create({.name = name})) << name;
    EXPECT_FALSE(store->create({.name = "good", .models = {name}})) << name;
  }
  EXPECT_TRUE(store->list()->empty());
  for (const auto* name : {"täglich", "die Werkstatt", "店", "'quoted'"}) {
    EXPECT_TRUE(store->create({.name = name})) << name;
  }
}

TEST_F(KeyStoreTest, FindsTheKeysItMade) {
  const auto store = open();
  EXPECT_EQ(*store->has_keys(), false);
  const auto key = store->create({.name = "alice", .models = {"sd15", "sdxl"}});
  ASSERT_TRUE(key);
  EXPECT_EQ(*store->has_keys(), true);
  const auto found = store->find(key->secret);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->id, key->record.id);
  EXPECT_EQ((*found)->name, "alice");
  EXPECT_EQ((*found)->prefix, key->secret.substr(3, 6));
  EXPECT_EQ((*found)->created, clock_.wall_now());
  EXPECT_EQ((*found)->models, (std::vector<std::string>{"sd15", "sdxl"}));
  EXPECT_FALSE((*found)->expires || (*found)->revoked);
  EXPECT_FALSE(*store->find(key->secret + "x"));
}

TEST_F(KeyStoreTest, KeepsNothingThatCouldBeSent) {
  std::string secret;
  {
    const auto store = open();
    secret = store->create({.name = "alice"})->secret;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    const auto bytes = read_file(entry.path(), 1u << 20);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->find(secret.substr(9)), bytes->npos) << entry.path();
    EXPECT_EQ(mode_of(entry.path()), 0600) << entry.path();
  }
}

TEST_F(KeyStoreTest, SurvivesAHostileKey) {
  const auto store = open();
  const auto good = store->create({.name = "'); DROP TABLE keys; --"});
  for (const auto& key :
       {"' OR 1=1--"s, "x'; DELETE FROM keys; --"s, ""s, std::string(1u << 20, 'k'),
        good->secret + '\0', "\0"s, "\xff\xfe"s, "%"s, "ik-" + std::string(43, '_')}) {
    const auto found = store->find(key);
    ASSERT_TRUE(found);
    EXPECT_FALSE(*found);
  }
  EXPECT_FALSE(store->revoke("' OR 1=1--"));
  const auto all = store->list();
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ(all->front().name, "'); DROP TABLE keys; --");
  EXPECT_FALSE(all->front().revoked);
}

TEST_F(KeyStoreTest, RevokesForEverybodyAtOnce) {
  const auto server = open();
  const auto command_line = open();
  const auto key = command_line->create({.name = "bob"});
  ASSERT_TRUE(*server->find(key->secret));
  const auto first = clock_.wall_now();
  const auto revoked = command_line->revoke(key->record.id);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->revoked, first);
  EXPECT_EQ((**server->find(key->secret)).revoked, first);
  clock_.advance(seconds(60));
  EXPECT_EQ(command_line->revoke(key->record.id)->revoked, first) << "the first time stays";
  EXPECT_EQ(command_line->revoke("key_none").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(*server->has_keys(), true);
}

TEST_F(KeyStoreTest, KnowsWhenAKeyExpires) {
  const auto store = open();
  const auto key = store->create({.expires_in = seconds(10)});
  const auto record = **store->find(key->secret);
  EXPECT_FALSE(record.is_expired(clock_.wall_now() + seconds(9)));
  EXPECT_TRUE(record.is_expired(clock_.wall_now() + seconds(10)));
}

TEST_F(KeyStoreTest, ListsInOrderAndStaysAfterReopening) {
  {
    const auto store = open();
    ASSERT_TRUE(store->create({.name = "one"}));
    ASSERT_TRUE(store->create({.name = "two", .models = {"b", "a", "b"}}));
  }
  const auto all = open()->list();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].name, "one");
  EXPECT_EQ((*all)[1].models, (std::vector<std::string>{"a", "b"}));
}

TEST_F(KeyStoreTest, RefusesAPepperThatIsLostOpenOrBroken) {
  ASSERT_TRUE(open()->create({.name = "one"}));
  std::filesystem::permissions(pepper_path_, std::filesystem::perms(0644));
  EXPECT_NE(KeyStore::open(path_, clock_).error().message.find("chmod 600"), std::string::npos);
  std::filesystem::permissions(pepper_path_, std::filesystem::perms(0600));
  EXPECT_TRUE(KeyStore::open(path_, clock_));
  std::filesystem::resize_file(pepper_path_, 10);
  EXPECT_NE(KeyStore::open(path_, clock_).error().message.find("hex"), std::string::npos);
  std::filesystem::remove(pepper_path_);
  EXPECT_NE(KeyStore::open(path_, clock_).error().message.find("missing"), std::string::npos);
}

TEST_F(KeyStoreTest, RefusesAFileThatIsNotItsOwn) {
  std::ofstream(path_) << "this is not a database, but it is long enough to look at";
  const auto store = KeyStore::open(path_, clock_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "key_store_unusable");
  EXPECT_FALSE(KeyStore::open(folder_ / "no/such/folder", clock_));
}

}  // namespace
}  // namespace limner::auth
