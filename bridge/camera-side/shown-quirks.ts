import type { Log } from "../../base/log.ts";
import { MEDIA_QUIRKS, type MediaQuirk } from "../../media/known-quirks.ts";
import { RTSP_QUIRKS, type RtspQuirk } from "../../rtsp/client/known-quirks.ts";
import type { CameraInfo } from "../camera.ts";

const KNOWN = { ...RTSP_QUIRKS, ...MEDIA_QUIRKS };

/** Which known faults one camera has shown since the bridge pulls from it: at most as many as there are. */
export class ShownQuirks {
  readonly #log: Log;
  readonly #names = new Set<RtspQuirk | MediaQuirk>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Cheap where it is known already: it may be told with every packet. */
  saw(name: RtspQuirk | MediaQuirk): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#log.info({ quirk: name }, `the camera ${KNOWN[name].does}`);
  }

  /** In the order in which they were noticed. */
  get list(): CameraInfo["quirks"] {
    return [...this.#names].map((name) => ({ name, does: KNOWN[name].does, copes: KNOWN[name].copes }));
  }
}
