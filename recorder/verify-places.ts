import { relative, resolve } from "node:path";
import type { Files } from "./files.ts";
import type { ArchiveScope } from "./verify-removed.ts";

/**
 * Where files of an archive are that is verified, by the paths under which they were listed: meanwhile a running bridge may have brought one to
 * another volume, or removed it.
 */
export class VerifiedPlaces {
  readonly #files: Files;
  /** Of its volumes, the archive's own last, in which another one may be; none where it is not known what belongs together. */
  readonly #folders: readonly string[];
  readonly #listed: ReadonlySet<string>;

  constructor(files: Files, paths: readonly string[], archive: ArchiveScope | undefined) {
    this.#files = files;
    this.#folders =
      archive === undefined ? [] : [...(archive.volumes ?? []), archive.folder].map((one) => resolve(one));
    this.#listed = new Set(paths.map((path) => resolve(path)));
  }

  /** Where a listed file is now: there, or under its name on another volume. Undefined where it is gone, or listed there too. */
  async now(path: string): Promise<string | undefined> {
    const name = this.nameOf(path);
    if (name === undefined || (await this.#files.exists(path))) return path;
    return this.#find(name, (place) => !this.#listed.has(place));
  }

  /** Whether a file, by its name below the folder of a volume, is there and was not when the files were listed. */
  async isNew(name: string): Promise<boolean> {
    const places = this.#folders.map((folder) => resolve(folder, name));
    return !places.some((place) => this.#listed.has(place)) && (await this.#find(name, () => true)) !== undefined;
  }

  /** The name of a file below the folder of its volume: the same on each. */
  nameOf(path: string): string | undefined {
    const folder = this.#folders.find((one) => resolve(path).startsWith(`${one}/`));
    return folder && relative(folder, path);
  }

  async #find(name: string, isMeant: (place: string) => boolean): Promise<string | undefined> {
    for (const folder of this.#folders) {
      const place = resolve(folder, name);
      if (isMeant(place) && (await this.#files.exists(place))) return place;
    }
    return undefined;
  }
}
