/* 128-bit integers, for sums of products of 64-bit ones. */
#ifndef MOC_BASE_WIDE_H
#define MOC_BASE_WIDE_H

__extension__ typedef __int128 moc__wide;

#endif
