#pragma once
/*
 * JSON as people read it. An array of objects becomes a table, a column for each
 * key; an object becomes lines of `key  value`, nested ones indented. The key's
 * suffix says what a number is: `_s` and `_ms` are durations, `_us` too, and an
 * `_ms` that is a moment in Unix time is written as date and time.
 */
#include <stdio.h>
#include <jansson.h>

void tl_table_print(const json_t *value, FILE *out);
