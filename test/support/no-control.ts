import { Fault } from "../../base/fault.ts";
import { type CameraControl, NO_CONTROLS } from "../../bridge/camera-control.ts";

const nothing = (): Promise<never> => Promise.reject(new Fault("not-found", "no control"));

/** Of a camera of which nothing can be controlled. */
export const NO_CONTROL: CameraControl = {
  controls: NO_CONTROLS,
  ptz: nothing,
  imaging: nothing,
  setEncoder: nothing,
  setRelay: nothing,
  snapshot: nothing,
};
