import type { Millis } from "../../base/units.ts";
import type { ValueOf } from "../../wsdl/schema.ts";
import type { PresetTour } from "../../wsdl/tables/tt-preset-tour.ts";
import type { PtzOperation } from "../camera-control.ts";

/** What of requests about moves is looked at. */
export interface MoveRequest {
  readonly ProfileToken: string;
  PresetToken?: string;
  PresetTourToken?: string;
  PresetTour?: ValueOf<typeof PresetTour>;
  readonly Operation?: string;
  Timeout?: Millis;
  readonly PanTilt?: boolean;
  readonly Zoom?: boolean;
}

/** What ends a continuous move by another one. */
const MOVES: ReadonlySet<PtzOperation> = new Set(["AbsoluteMove", "RelativeMove", "GotoPreset", "GotoHomePosition"]);

/** Whether this ends a continuous move. Stop may mean turning or zooming alone (ONVIF PTZ, Stop): the other one goes on then. */
export function endsMove(operation: PtzOperation, { PanTilt, Zoom, Operation }: MoveRequest): boolean {
  if (operation === "OperatePresetTour") return Operation === "Start";
  return operation === "Stop" ? PanTilt !== false && Zoom !== false : MOVES.has(operation);
}
