#pragma once
/*
 * Pages for fax tests: made, and compared dot by dot after they were sent. The
 * test links libtiff.
 */
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

enum { FAX_PAGE_WIDTH = 1728, FAX_PAGE_ROW = FAX_PAGE_WIDTH / 8 };

/* A row of something like print: runs of black, drawn anew every few rows. */
static inline void fax_page_draw(uint8_t row[FAX_PAGE_ROW], unsigned number, GRand *rand)
{
	if (number % 12 == 0)
		memset(row, 0, FAX_PAGE_ROW);
	if (number % 12 < 2)
		return; /* between the lines */
	if (number % 3 == 0)
		for (unsigned i = 8; i < FAX_PAGE_ROW - 8; i++)
			row[i] = g_rand_int_range(rand, 0, 3) ? 0 : (uint8_t)g_rand_int(rand);
}

static inline void fax_page_describe(TIFF *tiff, unsigned rows)
{
	TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, FAX_PAGE_WIDTH);
	TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
	TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
	TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
	TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITT_T6);
	TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
	TIFFSetField(tiff, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
	TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
	TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
	TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
	TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 98.0);
}

/* Of so many rows each, 204 x 98 dots an inch; each page another one. */
static inline void fax_page_write(const char *path, unsigned pages, unsigned rows, guint32 seed)
{
	TIFF *tiff = TIFFOpen(path, "w");
	GRand *rand = g_rand_new_with_seed(seed);

	for (unsigned page = 0; page < pages; page++) {
		uint8_t row[FAX_PAGE_ROW] = { 0 }, copy[FAX_PAGE_ROW];

		fax_page_describe(tiff, rows);
		for (unsigned i = 0; i < rows; i++) {
			fax_page_draw(row, i, rand);
			memcpy(copy, row, sizeof copy);
			TIFFWriteScanline(tiff, copy, i, 0);
		}
		TIFFWriteDirectory(tiff);
	}
	TIFFClose(tiff);
	g_rand_free(rand);
}

/* The dots of a page, from 0, to free; *ret_rows of them. NULL: it can't be read. */
static inline uint8_t *fax_page_read(const char *path, unsigned page, unsigned *ret_rows)
{
	TIFF *tiff = TIFFOpen(path, "r");
	uint32_t width = 0, rows = 0;
	uint16_t photometric = PHOTOMETRIC_MINISWHITE;
	uint8_t *dots;

	if (!tiff)
		return NULL;
	if (!TIFFSetDirectory(tiff, (tdir_t)page)) {
		TIFFClose(tiff);
		return NULL;
	}
	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &rows);
	TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
	dots = width == FAX_PAGE_WIDTH ? g_malloc0((gsize)rows * FAX_PAGE_ROW) : NULL;
	for (uint32_t i = 0; dots && i < rows; i++) {
		TIFFReadScanline(tiff, dots + i * FAX_PAGE_ROW, i, 0);
		for (unsigned k = 0; photometric == PHOTOMETRIC_MINISBLACK && k < FAX_PAGE_ROW; k++)
			dots[i * FAX_PAGE_ROW + k] ^= 0xff;
	}
	TIFFClose(tiff);
	*ret_rows = rows;
	return dots;
}

static inline bool fax_page_same(const char *a, const char *b, unsigned page)
{
	unsigned rows_a = 0, rows_b = 0;
	g_autofree uint8_t *dots_a = fax_page_read(a, page, &rows_a);
	g_autofree uint8_t *dots_b = fax_page_read(b, page, &rows_b);

	return dots_a && dots_b && rows_a == rows_b &&
	       memcmp(dots_a, dots_b, (size_t)rows_a * FAX_PAGE_ROW) == 0;
}
