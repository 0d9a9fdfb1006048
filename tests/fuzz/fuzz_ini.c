/*
 * Configuration text -> mistakes, or a dialplan that must then be able to answer.
 * Nothing is included: there is no directory to start from.
 */
#include <stddef.h>
#include <stdint.h>
#include "dialplan/dialplan.h"

/* libFuzzer has no header for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void ask(struct tl_dialplan *dp, enum tl_source_kind source, const char *name,
		const char *callee, FILE *out)
{
	struct tl_facts facts = {
		.source = source,
		.source_name = name,
		.caller = "+49170111222",
		.callee = callee,
		.at_s = 1795428000,
	};
	struct tl_decision *decision;

	if (tl_dialplan_decide(dp, &facts, &decision) == 0)
		tl_decision_free(decision);
	tl_dialplan_explain(dp, &facts, out);
}

static void ask_all(struct tl_dialplan *dp)
{
	static const char *const numbers[] = { "", "1001", "+4930555100", "0301", "x" };
	FILE *out = fopen("/dev/null", "w");

	for (size_t i = 0; out && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		ask(dp, TL_SOURCE_TRUNK, "carrier", numbers[i], out);
		ask(dp, TL_SOURCE_EXTENSION, "1001", numbers[i], out);
	}
	if (out)
		fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct tl_dialplan *dp;
	struct tl_diags *diags;

	if (tl_dialplan_parse((const char *)data, bytes, "fuzz.ini", NULL, &dp, &diags) < 0) {
		tl_diags_free(diags);
		return 0;
	}
	ask_all(dp);
	tl_dialplan_unref(dp);
	return 0;
}
