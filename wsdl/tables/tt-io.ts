import { extend, optAttr, type } from "../schema.ts";
import { duration, oneOf } from "../simple.ts";
import { DeviceEntity } from "./tt.ts";

// Types of the common schema that the device I/O service needs.

export const RelayMode = oneOf("tt:RelayMode", "Monostable", "Bistable");
export const RelayIdleState = oneOf("tt:RelayIdleState", "closed", "open");
export const RelayLogicalState = oneOf("tt:RelayLogicalState", "active", "inactive");
export const RelayOutputSettings = type("tt:RelayOutputSettings", {
  Mode: RelayMode,
  DelayTime: duration,
  IdleState: RelayIdleState,
});
export const RelayOutput = extend("tt:RelayOutput", DeviceEntity, { Properties: RelayOutputSettings });
export const DigitalIdleState = oneOf("tt:DigitalIdleState", "closed", "open");
export const DigitalInput = extend("tt:DigitalInput", DeviceEntity, { IdleState: optAttr(DigitalIdleState) });
