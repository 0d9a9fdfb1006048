#include <errno.h>

#include <gst/gst.h>

#include "media/elements/element.h"
#include "media/elements/elements.h"

int tl_elements_register(void)
{
	static const struct {
		const char *name;
		GType (*type)(void);
	} elements[] = {
		{ "tlg711dec", tl_g711_dec_get_type }, { "tlg711enc", tl_g711_enc_get_type },
		{ "tlg722dec", tl_g722_dec_get_type }, { "tlg722enc", tl_g722_enc_get_type },
		{ "tlg726dec", tl_g726_dec_get_type }, { "tlg726enc", tl_g726_enc_get_type },
		{ "tlgsmdec", tl_gsm_dec_get_type },   { "tlgsmenc", tl_gsm_enc_get_type },
		{ "tll16dec", tl_l16_dec_get_type },   { "tll16enc", tl_l16_enc_get_type },
		{ "tlopusdec", tl_opus_dec_get_type }, { "tlopusenc", tl_opus_enc_get_type },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(elements); i++)
		if (!gst_element_register(NULL, elements[i].name, GST_RANK_NONE,
					  elements[i].type()))
			return -EIO;
	return 0;
}
