// One maker per scheduler class, each in the file of its name. They read their own options; errors
// are found with options.error() and through the Result.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "diffusion/schedulers/options.hpp"
#include "diffusion/schedulers/scheduler.hpp"

namespace limner::schedulers {

using SchedulerResult = Result<std::unique_ptr<Scheduler>>;

SchedulerResult make_ddim(OptionReader& options);
SchedulerResult make_ddpm(OptionReader& options);
SchedulerResult make_deis_multistep(OptionReader& options);
SchedulerResult make_dpmsolver_multistep(OptionReader& options);
SchedulerResult make_dpmsolver_singlestep(OptionReader& options);
SchedulerResult make_euler_ancestral_discrete(OptionReader& options);
SchedulerResult make_euler_discrete(OptionReader& options);
SchedulerResult make_flow_match_euler_discrete(OptionReader& options);
SchedulerResult make_flow_match_heun_discrete(OptionReader& options);
SchedulerResult make_heun_discrete(OptionReader& options);
SchedulerResult make_lcm(OptionReader& options);
SchedulerResult make_lms_discrete(OptionReader& options);
SchedulerResult make_pndm(OptionReader& options);
SchedulerResult make_tcd(OptionReader& options);
SchedulerResult make_unipc_multistep(OptionReader& options);

// The end of each maker: an error if reading found one, else the scheduler of `Class`.
template <typename Class, typename Options>
SchedulerResult finish_making(const OptionReader& reader, Options options) {
  if (reader.error()) return *reader.error();
  return std::make_unique<Class>(std::move(options));
}

}  // namespace limner::schedulers
