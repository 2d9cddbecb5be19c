import { isMessage, type SignedFilm } from "./signed-film.ts";

export const isSlice = ({ codec }: SignedFilm, nal: Buffer): boolean => codec.vcl(codec.type(nal));

/** With another bit near its end. */
export function flipped(nal: Buffer, at = nal.length - 3): Buffer {
  const copy = Buffer.from(nal);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
}

export function withPictures(
  film: SignedFilm,
  change: (nals: readonly Buffer[], index: number) => readonly (readonly Buffer[])[],
): SignedFilm {
  return { ...film, pictures: film.pictures.flatMap(change) };
}

/** The slices of one picture changed. */
export const changed = (film: SignedFilm, at: number): SignedFilm =>
  withPictures(film, (nals, index) => [
    index === at ? nals.map((nal) => (isSlice(film, nal) ? flipped(nal) : nal)) : nals,
  ]);

/** Pictures left out, the one at `to` not among them. */
export const without = (film: SignedFilm, from: number, to: number): SignedFilm =>
  withPictures(film, (nals, index) => (index >= from && index < to ? [] : [nals]));

/** Two pictures in each other's place. */
export const swapped = (film: SignedFilm, one: number, other: number): SignedFilm =>
  withPictures(film, (nals, index) => [film.pictures[index === one ? other : index === other ? one : index] ?? nals]);

/** What `change` makes of the message with this number; undefined: nothing is left. */
export function withMessage(film: SignedFilm, number: number, change: (nal: Buffer) => Buffer | undefined): SignedFilm {
  let count = 0;
  const isOurs = isMessage(film);
  return withPictures(film, (nals) => [
    nals.flatMap((nal) => {
      if (!isOurs(nal)) return [nal];
      count += 1;
      const left = count === number ? change(nal) : nal;
      return left === undefined ? [] : [left];
    }),
  ]);
}
