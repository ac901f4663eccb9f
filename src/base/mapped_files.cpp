#include "base/mapped_files.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <mutex>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace limner {
namespace {

constexpr std::size_t kMappingsMax = 4'096;

// What the signal handler may look at: numbers that are never torn.
struct Region {
  std::atomic<std::uintptr_t> begin = 0;  // 0: free. Written last, cleared first
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<bool> is_damaged = false;
};

// What only threads look at, under the lock.
struct Entry {
  int fd = -1;
  std::filesystem::path path;
  struct stat info{};
};

struct Table {
  std::array<Region, kMappingsMax> regions;
  std::mutex mutex;
  std::array<Entry, kMappingsMax> entries;
};

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

// The handler has no other way to it. Never destroyed: mappings outlive main.
Table& table() {
  static Table* const the_table = new Table;
  return *the_table;
}
std::atomic<Table*> table_of_handler = nullptr;

// Puts zeros where the file has no more bytes, and goes on. mmap is a plain system call.
void on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (auto& region : table_of_handler.load()->regions) {
    const auto begin = region.begin.load(std::memory_order_acquire);
    const auto end = region.end.load(std::memory_order_relaxed);
    if (begin == 0 || address < begin || address >= end) continue;
    region.is_damaged = true;
    const auto page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto page = address - address % page_size;
    void* const at = reinterpret_cast<void*>(page);
    if (::mmap(at, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at) {
      return;
    }
    break;
  }
  constexpr char kText[] = "limner: a memory error (SIGBUS) in bytes that are no weights\n";
  static_cast<void>(!::write(STDERR_FILENO, kText, sizeof kText - 1));
  std::signal(signal, SIG_DFL);  // the same access again ends the process
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    table_of_handler = &table();
    struct sigaction action{};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, nullptr);
  });
}

bool is_same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

Error changed(const std::filesystem::path& path, std::string_view how) {
  return {.kind = ErrorKind::Unavailable,
          .message = "model: its files were changed in place while it was in memory",
          .param = "model",
          .code = "model_files_changed",
          .retry_after = std::chrono::seconds{1},
          .detail = fmt::format("{} was {} while it was mapped: write a new file, rename it over "
                                "the old one, then send SIGHUP",
                                path.string(), how)};
}

}  // namespace

Result<MappingId> watch_mapping(const std::filesystem::path& path, int fd, const void* data,
                                std::size_t size_bytes) {
  install_handler();
  auto& all = table();
  std::lock_guard lock(all.mutex);
  for (std::size_t i = 0; i < kMappingsMax; ++i) {
    if (all.entries[i].fd >= 0) continue;
    const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct stat info{};
    if (own < 0 || ::fstat(own, &info) != 0) {
      if (own >= 0) ::close(own);
      return Error{.kind = ErrorKind::Unavailable,
                   .message = "a model's file could not be opened: too many open files",
                   .detail = path.string()};
    }
    all.entries[i] = {.fd = own, .path = path, .info = info};
    auto& region = all.regions[i];
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    region.is_damaged = false;
    region.end.store(begin + size_bytes, std::memory_order_relaxed);
    region.begin.store(begin, std::memory_order_release);
    return MappingId{i};
  }
  return Error{.kind = ErrorKind::Unavailable,
               .message = fmt::format("more than {} files of models are in use", kMappingsMax)};
}

void forget_mapping(MappingId id) {
  auto& all = table();
  const auto i = static_cast<std::size_t>(id);
  std::lock_guard lock(all.mutex);
  all.regions[i].begin = 0;
  ::close(all.entries[i].fd);
  all.entries[i] = {};
}

std::optional<MappingId> find_mapping(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const auto& regions = table().regions;
  for (std::size_t i = 0; i < kMappingsMax; ++i) {
    const auto begin = regions[i].begin.load(std::memory_order_acquire);
    if (begin != 0 && at >= begin && at < regions[i].end) return MappingId{i};
  }
  return std::nullopt;
}

Result<void> check_mapping(MappingId id) {
  auto& all = table();
  const auto i = static_cast<std::size_t>(id);
  std::lock_guard lock(all.mutex);
  const auto& entry = all.entries[i];
  struct stat now{};
  if (all.regions[i].is_damaged) return changed(entry.path, "cut short");
  if (::fstat(entry.fd, &now) != 0) return changed(entry.path, "lost");
  if (now.st_size != entry.info.st_size) return changed(entry.path, "cut or grown");
  if (!is_same_time(now.st_mtim, entry.info.st_mtim)) return changed(entry.path, "written to");
  return {};
}

}  // namespace limner
