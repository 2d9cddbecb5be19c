import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { type CameraRecord, type CameraStore, cameraIdFor, type NewCamera } from "../camera-store.ts";

/** How many cameras one bridge takes; what they need was measured for a hundred, the rest is reserve. */
const MAX_CAMERAS = 1000;

/**
 * Saves an adopted camera. Its id is made from its name, and was never that of another camera: neither of one that was removed, nor
 * of one that there are still recordings of. Faults: `busy` where there are too many, `wrong-state` where it is adopted already.
 */
export async function saveCamera(
  adopted: Omit<NewCamera, "id" | "adoptedAt">,
  o: {
    readonly store: CameraStore;
    /** Ids of cameras that there are recordings of. */
    readonly recorded: () => Promise<readonly string[]>;
    readonly clock: Clock;
  },
): Promise<CameraRecord> {
  const { store, clock } = o;
  const [cameras, retired, recorded] = [await store.list(), await store.retired(), await o.recorded()];
  if (cameras.length >= MAX_CAMERAS)
    throw new Fault("busy", `more than ${MAX_CAMERAS} cameras`, {
      tell: `this bridge takes ${MAX_CAMERAS} cameras at most`,
    });
  const { url } = adopted.streams[0];
  const same = cameras.find(({ ip, streams }) => ip === adopted.ip && streams[0].url === url);
  if (same !== undefined)
    throw new Fault("wrong-state", `${url} is ${same.id}`, {
      tell: `this camera is already adopted as ${same.id} ("${same.name}")`,
    });
  const used = new Set([...cameras.map(({ id }) => id), ...retired, ...recorded]);
  const id = cameraIdFor(adopted.name, (candidate) => used.has(candidate));
  return store.add({ ...adopted, id, adoptedAt: clock.now() });
}
