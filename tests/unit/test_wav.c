#include <criterion/criterion.h>

#include "media/file/wav.h"

Test(wav, writes_the_head_that_every_player_reads)
{
	/* As sox writes it: 16 kHz, stereo, one second. */
	static const uint8_t wanted[] = {
		'R', 'I', 'F', 'F', 0x24, 0xfa, 0,   0,   'W', 'A',  'V',  'E',  'f', 'm', 't',
		' ', 16,  0,   0,   0,    1,    0,   2,   0,   0x80, 0x3e, 0,    0,   0,   0xfa,
		0,   0,   4,   0,   16,   0,    'd', 'a', 't', 'a',  0,    0xfa, 0,   0,
	};
	uint8_t head[TL_WAV_HEAD_BYTES];

	tl_wav_head(head, 16000, 2, 64000);
	cr_expect_arr_eq(head, wanted, sizeof wanted);
}

Test(wav, says_the_longest_length_without_overflow)
{
	uint8_t head[TL_WAV_HEAD_BYTES];

	tl_wav_head(head, 48000, 2, TL_WAV_DATA_MAX_BYTES);
	cr_expect_eq(TL_WAV_DATA_MAX_BYTES % 4, 0);
	cr_expect_eq(head[7], 0xff, "the RIFF length did not wrap");
	cr_expect_eq(head[43], 0xff);
}
