import { SECOND } from "../../base/units.ts";
import { RefusedLogIn } from "../../onvif/client/refused-log-in.ts";
import { fetchSnapshot, type SnapshotOptions } from "../../onvif/client/snapshot.ts";
import { controlFault, notSupported } from "./control-fault.ts";

/** How long a picture is as good as a new one. */
const FRESH_MS = SECOND;

/** A camera's own picture: one question at a time and a second, whoever asks, so that a crowd of clients costs no more than one. */
export class CameraPicture {
  readonly #options: Omit<SnapshotOptions, "url">;
  readonly #address: () => Promise<URL | undefined>;
  /** Its own, for many cameras keep users for ONVIF apart from those of their pages. */
  readonly #refused: RefusedLogIn;
  #picture: Promise<Buffer> | undefined;

  /** `address`: where the camera has said that its picture is; undefined where it has none. */
  constructor(options: Omit<SnapshotOptions, "url">, address: () => Promise<URL | undefined>) {
    this.#options = options;
    this.#address = address;
    this.#refused = new RefusedLogIn(options.clock);
  }

  get(): Promise<Buffer> {
    if (this.#picture === undefined) {
      const picture = this.#fetch();
      this.#picture = picture;
      const age = (): void => {
        this.#options.clock.after(FRESH_MS, () => {
          this.#picture = undefined;
        });
      };
      picture.then(age, age);
    }
    return this.#picture;
  }

  async #fetch(): Promise<Buffer> {
    const url = await this.#address();
    if (url === undefined) throw notSupported();
    try {
      return await this.#refused.respected(() => fetchSnapshot({ ...this.#options, url }));
    } catch (error) {
      throw controlFault(error);
    }
  }
}
