// Options and suppressions of the sanitizers, in every program of a sanitized build. Each
// suppression names why what it hides is not ours.

extern "C" {

const char* __asan_default_options() {
  return "external_symbolizer_path=" LIMNER_SYMBOLIZER
         ":detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1";
}

const char* __ubsan_default_options() {
  return "external_symbolizer_path=" LIMNER_SYMBOLIZER ":print_stacktrace=1";
}

const char* __tsan_default_options() {
  return "external_symbolizer_path=" LIMNER_SYMBOLIZER ":halt_on_error=1:second_deadlock_stack=1";
}

const char* __lsan_default_suppressions() {
  return "";
}

const char* __tsan_default_suppressions() {
  return "";
}

}  // extern "C"
