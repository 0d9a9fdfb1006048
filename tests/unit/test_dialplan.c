/* Whole files: the example that the manual starts from, and what other layers rely on. */
#include "tests/support/dialplan_text.h"
#include <glib/gstdio.h>
#include "media/plan/codec.h"

static const struct {
	const char *name, *text;
} files[] = {
	{ "twinleg.ini",
	  "[gateway]\n"
	  "listen    = udp:0.0.0.0:5060, tcp:0.0.0.0:5060, tls:0.0.0.0:5061\n"
	  "certificate = tls/fullchain.pem\n"
	  "domain    = pbx.example.net\n"
	  "advertise = 203.0.113.10             ; our address as others see it, behind NAT\n"
	  "rtp-ports = 16384-32767\n"
	  "include   = extensions.ini, routes.d/*.ini\n"
	  "\n"
	  "[trunk carrier]\n"
	  "host      = sip.carrier.example      ; NAPTR/SRV/A, with failover\n"
	  "register  = yes\n"
	  "user      = 4930555100\n"
	  "password  = secret\n"
	  "codecs    = PCMA, PCMU\n"
	  "max-calls = 30\n"
	  "allow     = 198.51.100.0/24          ; who may call as this trunk\n"
	  "\n"
	  "[extension 1001]\n"
	  "name      = Alice\n"
	  "password  = secret\n"
	  "codecs    = opus, G722, PCMA\n"
	  "\n"
	  "[hours office]\n"
	  "mon-fri   = 08:00-18:00\n"
	  "closed    = 2026-12-25, 2026-12-26\n"
	  "\n"
	  "[route support]\n"
	  "from      = trunk:carrier\n"
	  "to        = +4930555100\n"
	  "when      = office\n"
	  "play      = welcome.wav, recorded.wav ; heard before ringing\n"
	  "record    = stereo\n"
	  "ring      = 1001, 1002                ; all at once\n"
	  "ring-time = 25s\n"
	  "on-busy   = route:voicebox\n"
	  "on-no-answer = route:voicebox\n"
	  "\n"
	  "[route out]\n"
	  "from      = extension\n"
	  "to        = 0[1-9]X.                  ; X 0-9, Z 1-9, N 2-9\n"
	  "strip     = 1\n"
	  "prefix    = +49\n"
	  "caller    = +4930555100\n"
	  "ring      = trunk:carrier then trunk:backup\n"
	  "\n"
	  "[expect a support call rings the desk]\n"
	  "call      = trunk:carrier +49170111222 +4930555100 at 2026-11-23 10:00\n"
	  "route     = support\n"
	  "rings     = 1001, 1002\n" },
	{ "extensions.ini", "[extension 1002]\npassword = x\n[trunk backup]\nhost = 192.0.2.9\n" },
	{ "routes.d/box.ini", "[route voicebox]\nplay = welcome.wav\n" },
	{ "prompts/welcome.wav", "" },
	{ "prompts/recorded.wav", "" },
};

static char *write_files(void)
{
	char *dir = g_dir_make_tmp(NULL, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(dir, files[i].name, NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		g_mkdir_with_parents(parent, 0700);
		cr_assert(g_file_set_contents_full(path, files[i].text, -1,
						   G_FILE_SET_CONTENTS_NONE, 0600, NULL));
	}
	return dir;
}

static void remove_files(const char *dir)
{
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(dir, files[i].name, NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		g_unlink(path);
		g_rmdir(parent);
	}
}

Test(dialplan, the_example_loads_with_the_files_that_it_includes)
{
	g_autofree char *dir = write_files();
	g_autofree char *path = g_build_filename(dir, "twinleg.ini", NULL);
	g_autofree char *prompt = g_build_filename(dir, "prompts/recorded.wav", NULL);
	struct tl_dialplan *dp = NULL;
	struct tl_diags *diags = NULL;
	struct tl_decision *d;

	cr_assert_eq(tl_dialplan_load(path, &dp, &diags), 0, "%s", tl_diags_text(diags, 0));
	remove_files(dir);
	d = decide(dp, "trunk:carrier +49170111222 +4930555100", 1795428000);
	cr_expect_str_eq(d->route, "support");
	cr_expect_eq(d->n_play, 2);
	cr_expect_str_eq(d->play[1], prompt);
	cr_expect_not(d->play_answered);
	cr_expect_eq(d->record, TL_RECORD_STEREO);
	cr_expect_eq(d->ring_time_s, 25);
	tl_decision_free(d);
	d = decide(dp, "1001 1001 0301234", 1795428000);
	cr_expect_str_eq(d->callee, "+49301234");
	cr_expect_eq(d->n_steps, 2);
	tl_decision_free(d);
	cr_expect_str_eq(route_of(dp, "trunk:carrier 1 +4930555100", 1795428000 - 86400), "-",
			 "on a Sunday, and the voice box takes no call by itself");
	tl_dialplan_unref(dp);
}

Test(dialplan, knows_the_name_of_every_codec)
{
	for (size_t i = 0; tl_codec_row(i); i++) {
		const struct tl_codec *row = tl_codec_row(i);
		g_autofree char *text = g_strdup_printf("[gateway]\ncodecs = %s\n", row->name);
		g_autofree char *mistakes = mistakes_in(text);

		cr_expect_str_eq(mistakes, "");
	}
}

Test(dialplan, every_name_is_a_codec)
{
	struct tl_dialplan *dp = dialplan_of(
		"[gateway]\ncodecs = opus, G722, PCMA, PCMU, G729, GSM, iLBC, speex, speex/8000, "
		"speex/16000, L16, L16/8000, L16/16000, L16/44100, L16/44100/2, L16/48000, "
		"G726-16, G726-24, G726-32, G726-40, AAL2-G726-16, AAL2-G726-24, "
		"AAL2-G726-32, AAL2-G726-40, G723, AMR, AMR-WB\n");
	const struct tl_gateway *gw = tl_dialplan_gateway(dp);

	for (size_t i = 0; i < gw->n_codecs; i++)
		cr_expect_not_null(tl_codec_by_name(gw->codecs[i]), "%s", gw->codecs[i]);
	tl_dialplan_unref(dp);
}

static const struct {
	const char *why, *before, *after, *lines;
} differences[] = {
	{ "nothing", "[trunk t]\nhost = a\n", "; x\n\n[trunk t]\n  host  =  a ; y\n", "" },
	{ "added and removed", "[trunk t]\nhost = a\n", "[extension 1]\npassword = x\n",
	  "[trunk t] removed\n[extension 1] added" },
	{ "a secret is not told", "[extension 1]\npassword = hunter2\nname = A\n",
	  "[extension 1]\npassword = hunter3\ndtmf = info\n",
	  "[extension 1] changed: password, dtmf, name" },
	{ "by way of another", "[trunk m]\nmax-calls = 1\n[trunk t]\nhost = a\nlike = m\n",
	  "[trunk m]\nmax-calls = 2\n[trunk t]\nhost = a\nlike = m\n",
	  "[trunk m] changed: max-calls\n[trunk t] changed: max-calls" },
	{ "order", "[route a]\nto = 1\nanswer = echo\n[route b]\nto = 1\nreject = 404\n",
	  "[route b]\nto = 1\nreject = 404\n[route c]\nto = 2\nreject = 404\n[route a]\nto = "
	  "1\nanswer = echo\n",
	  "[route c] added\n[route] sections stand in another order" },
	{ "expectations don't count", "",
	  "[expect]\ncall = trunk:t 1 2\nroute = none\n[trunk "
	  "t]\nhost = a\n",
	  "[trunk t] added" },
	{ "the gateway", "[gateway]\nworkers = 1\n", "[gateway]\nworkers = 2\n",
	  "[gateway] changed: workers" },
};

Test(dialplan, a_reload_says_what_it_changes)
{
	for (size_t i = 0; i < G_N_ELEMENTS(differences); i++) {
		struct tl_dialplan *old = dialplan_of(differences[i].before);
		struct tl_dialplan *fresh = dialplan_of(differences[i].after);
		g_auto(GStrv) lines = tl_dialplan_diff(old, fresh);
		g_autofree char *text = g_strjoinv("\n", lines);

		cr_expect_str_eq(text, differences[i].lines, "%s", differences[i].why);
		tl_dialplan_unref(old);
		tl_dialplan_unref(fresh);
	}
}
