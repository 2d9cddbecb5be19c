import type { Principal } from "../../auth/principal.ts";
import { Fault } from "../../base/fault.ts";
import type { ValueOf } from "../../wsdl/schema.ts";
import type { ResponseOf } from "../../wsdl/service.ts";
import type { PTZ } from "../../wsdl/tables/tptz.ts";
import type { PTZSpeed } from "../../wsdl/tables/tt-ptz.ts";
import type { BridgedCamera } from "../camera.ts";
import type { PtzHead, PtzOperation, PtzRequest } from "../camera-control.ts";
import type { AskedFrom, PtzHolders } from "./ptz-holders.ts";
import type { Watch } from "./watch.ts";

/** How fast to turn and zoom: parts of full speed, -1 to 1; right, up and nearer are positive. */
export interface Velocity {
  readonly pan: number;
  readonly tilt: number;
  readonly zoom: number;
}

/** What of a camera can be moved, as far as it has told. */
export interface Movable {
  readonly panTilt: boolean;
  readonly zoom: boolean;
  /** It keeps places. */
  readonly presets: boolean;
  readonly home: boolean;
}

/**
 * One request to move a camera, or to change the places that it is sent to: the right is demanded, the camera taken from others or not,
 * and then asked. Faults: those of {@link Watch.open}, {@link PtzHolders.take} and of the camera.
 */
export function askPtz<K extends PtzOperation>(
  o: { readonly watch: Watch; readonly ptzHolders: PtzHolders },
  by: { readonly who: Principal; readonly camera: string; readonly from: AskedFrom },
  needs: "ptz" | "presets",
  operation: K,
  request: PtzRequest<K>,
): Promise<ResponseOf<(typeof PTZ)["operations"][K]>> {
  const camera = o.watch.open(by.who, by.camera, needs, by.from.interface, by.from.address);
  headOf(camera);
  o.ptzHolders.take(by.who, camera, needs, by.from);
  return camera.control.ptz(operation, request);
}

/** How a camera can be moved. Fault `unavailable` for one that cannot. */
export function headOf({ info, control }: BridgedCamera): PtzHead {
  const { ptz } = control.controls;
  if (ptz === undefined)
    throw new Fault("unavailable", `${info.id} cannot be moved`, {
      tell: "This camera cannot be moved, or has not been reached yet.",
    });
  return ptz;
}

export function movableOf({ node, options }: PtzHead): Movable {
  return {
    panTilt: (options.Spaces.ContinuousPanTiltVelocitySpace ?? []).length > 0,
    zoom: (options.Spaces.ContinuousZoomVelocitySpace ?? []).length > 0,
    presets: node.MaximumNumberOfPresets > 0,
    home: node.HomeSupported,
  };
}

/** In the camera's own ranges; what it cannot do is left out. */
export function speedOf({ configuration, options }: PtzHead, velocity: Velocity): ValueOf<typeof PTZSpeed> {
  const { ContinuousPanTiltVelocitySpace: turns = [], ContinuousZoomVelocitySpace: zooms = [] } = options.Spaces;
  const turn = usual(turns, configuration.DefaultContinuousPanTiltVelocitySpace);
  const zoom = usual(zooms, configuration.DefaultContinuousZoomVelocitySpace);
  return {
    ...(turn && {
      PanTilt: { x: within(turn.XRange, velocity.pan), y: within(turn.YRange, velocity.tilt), space: turn.URI },
    }),
    ...(zoom && { Zoom: { x: within(zoom.XRange, velocity.zoom), space: zoom.URI } }),
  };
}

function usual<T extends { readonly URI: string }>(spaces: readonly T[], uri: string | undefined): T | undefined {
  return spaces.find((space) => space.URI === uri) ?? spaces[0];
}

/** Some cameras' ranges are not as wide to either side. */
function within({ Min, Max }: { readonly Min: number; readonly Max: number }, part: number): number {
  return part < 0 ? -part * Min : part * Max;
}
