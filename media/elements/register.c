#include <dlfcn.h>
#include <link.h>

#include <gst/gst.h>

#include "media/elements/element.h"
#include "media/elements/elements.h"

static const struct {
	const char *name;
	GType (*type)(void);
} elements[] = {
	{ "tlg711dec", tl_g711_dec_get_type },    { "tlg711enc", tl_g711_enc_get_type },
	{ "tlg722dec", tl_g722_dec_get_type },    { "tlg722enc", tl_g722_enc_get_type },
	{ "tlg726dec", tl_g726_dec_get_type },    { "tlg726enc", tl_g726_enc_get_type },
	{ "tlgsmdec", tl_gsm_dec_get_type },      { "tlgsmenc", tl_gsm_enc_get_type },
	{ "tll16dec", tl_l16_dec_get_type },      { "tll16enc", tl_l16_enc_get_type },
	{ "tlopusdec", tl_opus_dec_get_type },    { "tlopusenc", tl_opus_enc_get_type },
#ifdef TL_HAVE_AMRNB
	{ "tlamrnbdec", tl_amr_nb_dec_get_type }, { "tlamrnbenc", tl_amr_nb_enc_get_type },
#endif
#ifdef TL_HAVE_AMRWB
	{ "tlamrwbdec", tl_amr_wb_dec_get_type }, { "tlamrwbenc", tl_amr_wb_enc_get_type },
#endif
#ifdef TL_HAVE_ILBC
	{ "tlilbcdec", tl_ilbc_dec_get_type },    { "tlilbcenc", tl_ilbc_enc_get_type },
#endif
#ifdef TL_HAVE_SPEEX
	{ "tlspeexdec", tl_speex_dec_get_type },  { "tlspeexenc", tl_speex_enc_get_type },
#endif
};

/* What is under another licence than ours. The files are looked for where this program's RUNPATH
 * leads: the build folder, or the library folder that it was installed with. */
static struct plugin {
	const char *prefix; /* of its elements' names */
	const char *file;
	char *error; /* NULL: it is loaded */
} plugins[] = {
#ifdef TL_HAVE_BCG729
	{ .prefix = "tlg729", .file = "libtwinleg-bcg729.so" },
#endif
	{ .prefix = NULL },
};

static void load_plugin(struct plugin *plugin)
{
	void *handle = dlopen(plugin->file, RTLD_NOW | RTLD_LOCAL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GstPlugin) loaded = NULL;
	struct link_map *map = NULL;

	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0) {
		plugin->error = g_strdup(dlerror());
	} else {
		loaded = gst_plugin_load_file(map->l_name, &error);
		if (!loaded)
			plugin->error = g_strdup(error->message);
	}
	if (handle)
		dlclose(handle); /* GStreamer has its own hold on it */
}

int tl_elements_register(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(elements); i++)
		if (!gst_element_register(NULL, elements[i].name, GST_RANK_NONE,
					  elements[i].type()))
			return -EIO;
	for (struct plugin *plugin = plugins; plugin->prefix; plugin++) {
		g_clear_pointer(&plugin->error, g_free);
		load_plugin(plugin);
	}
	return 0;
}

const char *tl_elements_missing(const char *name)
{
	for (struct plugin *plugin = plugins; plugin->prefix; plugin++)
		if (g_str_has_prefix(name, plugin->prefix))
			return plugin->error;
	return NULL;
}
