#include "inspector-driver.h"
void add_tests (void) {}
