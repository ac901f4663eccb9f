#include "app/commands.hpp"

int main(int argc, char** argv) {
  return limner::app::run(argc, argv);
}
