import { Fault } from "../../base/fault.ts";
import type { BackChannel } from "../../media/back-channel.ts";

/** Of a camera that has none. */
export const NO_SPEAKER: BackChannel = {
  track: () => Promise.resolve(undefined),
  take: () => {
    throw new Fault("not-found", "no speaker");
  },
};
