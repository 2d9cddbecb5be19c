import { findPath } from "../wsdl/xml.ts";
import { type Device, type Settable, VIDEO_SOURCE } from "./device.ts";
import type { Asked, Operations } from "./onvif.ts";
import { SoapFault } from "./soap.ts";

export const IMAGING_CAPABILITIES = `<timg:Capabilities ImageStabilization="false"/>`;
export const IO_CAPABILITIES = `<tmd:Capabilities VideoSources="1" RelayOutputs="1" DigitalInputs="1"/>`;

/** Tokens of the one relay, and of the one input. */
const RELAY = "sim_relay";
const INPUT = "sim_input";

const assertSource = (asked: Asked): void => {
  if (findPath(asked.element, "VideoSourceToken")?.text.trim() !== VIDEO_SOURCE)
    throw new SoapFault("Sender", ["InvalidArgVal", "NoSource"], "There is no such source");
};
const answer =
  (operation: string, content: string) =>
  (asked: Asked): string => {
    assertSource(asked);
    return `<timg:${operation}Response>${content}</timg:${operation}Response>`;
  };
const range = (low: number, high: number): string => `<tt:Min>${low}</tt:Min><tt:Max>${high}</tt:Max>`;

/** The imaging service (ONVIF Imaging): brightness and focus. */
export function imagingOperations(settable: Settable): Operations {
  return {
    GetServiceCapabilities: () =>
      `<timg:GetServiceCapabilitiesResponse>${IMAGING_CAPABILITIES}</timg:GetServiceCapabilitiesResponse>`,
    GetImagingSettings: (asked) =>
      answer(
        "GetImagingSettings",
        `<timg:ImagingSettings><tt:Brightness>${settable.brightness}</tt:Brightness></timg:ImagingSettings>`,
      )(asked),
    SetImagingSettings: (asked) => {
      assertSource(asked);
      const brightness = Number(findPath(asked.element, "ImagingSettings", "Brightness")?.text ?? settable.brightness);
      if (!(brightness >= 0 && brightness <= 100))
        throw new SoapFault("Sender", ["InvalidArgVal", "SettingsInvalid"], "Brightness is 0 to 100");
      settable.brightness = brightness;
      return answer("SetImagingSettings", "")(asked);
    },
    GetOptions: answer(
      "GetOptions",
      `<timg:ImagingOptions><tt:Brightness>${range(0, 100)}</tt:Brightness></timg:ImagingOptions>`,
    ),
    GetMoveOptions: answer(
      "GetMoveOptions",
      `<timg:MoveOptions><tt:Absolute><tt:Position>${range(0, 1)}</tt:Position></tt:Absolute></timg:MoveOptions>`,
    ),
    GetStatus: (asked) =>
      answer(
        "GetStatus",
        `<timg:Status><tt:FocusStatus20><tt:Position>${settable.focus}</tt:Position><tt:MoveStatus>IDLE</tt:MoveStatus></tt:FocusStatus20></timg:Status>`,
      )(asked),
    Move: (asked) => {
      settable.focus = Number(findPath(asked.element, "Focus", "Absolute", "Position")?.text ?? settable.focus);
      return answer("Move", "")(asked);
    },
    Stop: answer("Stop", ""),
  };
}

/** The device I/O service (ONVIF Device IO), without what it borrows of the device service. */
export const IO_OPERATIONS: Operations = {
  GetServiceCapabilities: () =>
    `<tmd:GetServiceCapabilitiesResponse>${IO_CAPABILITIES}</tmd:GetServiceCapabilitiesResponse>`,
  GetVideoSources: () =>
    `<tmd:GetVideoSourcesResponse><tmd:Token>${VIDEO_SOURCE}</tmd:Token></tmd:GetVideoSourcesResponse>`,
  GetDigitalInputs: () =>
    `<tmd:GetDigitalInputsResponse><tmd:DigitalInputs token="${INPUT}" IdleState="open"/></tmd:GetDigitalInputsResponse>`,
};

/** Relays, at the device service. */
export function relayOperations({ settable }: Device): Operations {
  if (settable === undefined) return {};
  return {
    GetRelayOutputs: () =>
      `<tds:GetRelayOutputsResponse><tds:RelayOutputs token="${RELAY}"><tt:Properties><tt:Mode>Bistable</tt:Mode><tt:DelayTime>PT0S</tt:DelayTime><tt:IdleState>open</tt:IdleState></tt:Properties></tds:RelayOutputs></tds:GetRelayOutputsResponse>`,
    SetRelayOutputState: ({ element }) => {
      if (findPath(element, "RelayOutputToken")?.text.trim() !== RELAY)
        throw new SoapFault("Sender", ["InvalidArgVal", "RelayToken"], "There is no such relay");
      settable.relay = findPath(element, "LogicalState")?.text.trim() === "active" ? "active" : "inactive";
      return "<tds:SetRelayOutputStateResponse/>";
    },
  };
}
