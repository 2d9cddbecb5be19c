import type { IncomingMessage } from "node:http";
import { type Base, baseOf } from "./base.ts";
import { Refused } from "./request.ts";
import type { Service } from "./service.ts";

/** Where all services are. */
const ROOT = "/onvif/";
/** Below it, those of the devices of single cameras: by their ids. */
const CAMERA_DEVICE = /^\/onvif\/(camera\/([A-Za-z0-9_-]{1,64})\/)/;

/** By path below `/onvif/`: all that is served there. */
type Served = ReadonlyMap<string, readonly Service[]>;

function servedBy(services: readonly Service[]): Served {
  return Map.groupBy(services, ({ path }) => path);
}

/** What a request is sent to. */
export interface Place {
  readonly services: readonly Service[];
  /** What of the path stands behind that of the services. */
  readonly resource: string;
  readonly camera: string | undefined;
  /** The path below that of the device. */
  readonly at: string;
  readonly base: Base;
}

/** Finds out what a request is sent to, by its path: services of the device of all cameras, or of that of one. */
export class Places {
  readonly #services: Served;
  readonly #cameraServices: ((camera: string) => readonly Service[]) | undefined;
  readonly #publicHosts: ReadonlySet<string>;

  constructor(o: {
    readonly services: readonly Service[];
    readonly cameraServices?: (camera: string) => readonly Service[];
    readonly publicHosts?: readonly string[];
  }) {
    this.#services = servedBy(o.services);
    this.#cameraServices = o.cameraServices;
    this.#publicHosts = new Set(o.publicHosts ?? []);
  }

  /** With `own`, as the device of that camera, whatever the path. Throws {@link Refused} where nothing is. */
  of(request: IncomingMessage, own: string | undefined): Place {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const named = own === undefined ? CAMERA_DEVICE.exec(path) : null;
    const camera = own ?? named?.[2];
    const at = path.slice(ROOT.length + (named?.[1]?.length ?? 0));
    const [services, resource] = this.#servedAt(at, camera);
    return { services, resource, camera, at, base: baseOf(request, this.#publicHosts, named?.[1]) };
  }

  /** What is served at a path, and what of the path stands behind that. */
  #servedAt(path: string, camera: string | undefined): readonly [readonly Service[], resource: string] {
    const cameraServices = this.#cameraServices;
    if (camera !== undefined && cameraServices === undefined) throw new Refused(404);
    const all =
      camera === undefined || cameraServices === undefined ? this.#services : servedBy(cameraServices(camera));
    const exact = all.get(path);
    if (exact !== undefined) return [exact, ""];
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    const below = all.get(folder);
    if (below === undefined) throw new Refused(404);
    return [below, path.slice(folder.length)];
  }
}
