/* The page's files, put into the program when it is built (cmake/embed.cmake). */
#ifndef TL_TOOLS_VIEW_FILES_H
#define TL_TOOLS_VIEW_FILES_H

#include <stddef.h>

extern const unsigned char view_page_html[], view_page_css[], view_page_js[], view_icon_svg[];
extern const size_t view_page_html_n, view_page_css_n, view_page_js_n, view_icon_svg_n;

#endif
