import { isoOf, MINUTE, type Millis, SECOND } from "../base/units.ts";
import { duration } from "../wsdl/simple.ts";
import { attributeOf, escapeXml, findPath, type XmlElement } from "../wsdl/xml.ts";
import type { Device } from "./device.ts";
import type { Motion, Position, Tour } from "./motion.ts";
import type { Asked, Operations } from "./onvif.ts";
import { createTour, modifyTour, operateTour, printTour, printTourOptions, SUPPORTED_TOURS } from "./onvif-tours.ts";
import { SoapFault } from "./soap.ts";

export const PTZ_CAPABILITIES = `<tptz:Capabilities EFlip="false" Reverse="false" GetCompatibleConfigurations="true" MoveStatus="true" StatusPosition="true"/>`;

const SPACES = "http://www.onvif.org/ver10/tptz/";
const DEFAULT_TIMEOUT_MS: Millis = 10 * SECOND;
const NODE = "sim_node";
const CONFIGURATION = "sim_ptz";

const range = (axis: string, low: number): string =>
  `<tt:${axis}><tt:Min>${low}</tt:Min><tt:Max>1</tt:Max></tt:${axis}>`;
const space2 = (name: string, uri: string): string =>
  `<tt:${name}><tt:URI>${SPACES}${uri}</tt:URI>${range("XRange", -1)}${range("YRange", -1)}</tt:${name}>`;
const space1 = (name: string, uri: string, low: number): string =>
  `<tt:${name}><tt:URI>${SPACES}${uri}</tt:URI>${range("XRange", low)}</tt:${name}>`;

const ALL_SPACES = [
  space2("AbsolutePanTiltPositionSpace", "PanTiltSpaces/PositionGenericSpace"),
  space1("AbsoluteZoomPositionSpace", "ZoomSpaces/PositionGenericSpace", 0),
  space2("RelativePanTiltTranslationSpace", "PanTiltSpaces/TranslationGenericSpace"),
  space1("RelativeZoomTranslationSpace", "ZoomSpaces/TranslationGenericSpace", -1),
  space2("ContinuousPanTiltVelocitySpace", "PanTiltSpaces/VelocityGenericSpace"),
  space1("ContinuousZoomVelocitySpace", "ZoomSpaces/VelocityGenericSpace", -1),
].join("");

const one = (operation: string, content = ""): string =>
  `<tptz:${operation}Response>${content}</tptz:${operation}Response>`;

/** The configuration of a camera that can be moved, as an element of that name; nothing for another. */
export function ptzConfiguration({ motion, streams }: Device, name: string): string {
  if (motion === undefined) return "";
  return `<${name} token="${CONFIGURATION}"><tt:Name>Head</tt:Name><tt:UseCount>${streams.length}</tt:UseCount><tt:NodeToken>${NODE}</tt:NodeToken><tt:DefaultContinuousPanTiltVelocitySpace>${SPACES}PanTiltSpaces/VelocityGenericSpace</tt:DefaultContinuousPanTiltVelocitySpace><tt:DefaultContinuousZoomVelocitySpace>${SPACES}ZoomSpaces/VelocityGenericSpace</tt:DefaultContinuousZoomVelocitySpace><tt:DefaultPTZTimeout>${duration.print(DEFAULT_TIMEOUT_MS)}</tt:DefaultPTZTimeout></${name}>`;
}

const NODE_CONTENT = `token="${NODE}"><tt:Name>Head</tt:Name><tt:SupportedPTZSpaces>${ALL_SPACES}</tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>16</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported><tt:AuxiliaryCommands>tt:Wiper|On</tt:AuxiliaryCommands>${SUPPORTED_TOURS}</tptz:PTZNode>`;

/** The PTZ service (ONVIF PTZ) of a camera with a moved head. */
export function ptzOperations(device: Device, motion: Motion): Operations {
  const act =
    (operation: string, work: (asked: Asked) => void) =>
    (asked: Asked): string => {
      profileOf(device, asked);
      work(asked);
      return one(operation);
    };
  const configurations = (): string => ptzConfiguration(device, "tptz:PTZConfiguration");
  return {
    GetServiceCapabilities: () => one("GetServiceCapabilities", PTZ_CAPABILITIES),
    GetNodes: () => one("GetNodes", `<tptz:PTZNode ${NODE_CONTENT}`),
    GetNode: (asked) => {
      if (text(asked, "NodeToken") !== NODE) throw argument("NoEntity");
      return one("GetNode", `<tptz:PTZNode ${NODE_CONTENT}`);
    },
    GetConfigurations: () => one("GetConfigurations", configurations()),
    GetConfiguration: () => one("GetConfiguration", configurations()),
    GetCompatibleConfigurations: () => one("GetCompatibleConfigurations", configurations()),
    GetConfigurationOptions: () =>
      one(
        "GetConfigurationOptions",
        `<tptz:PTZConfigurationOptions><tt:Spaces>${ALL_SPACES}</tt:Spaces><tt:PTZTimeout><tt:Min>PT1S</tt:Min><tt:Max>${duration.print(MINUTE)}</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions>`,
      ),
    GetStatus: (asked) => {
      profileOf(device, asked);
      const state = motion.moving ? "MOVING" : "IDLE";
      return one(
        "GetStatus",
        `<tptz:PTZStatus>${vector("Position", motion.position)}<tt:MoveStatus><tt:PanTilt>${state}</tt:PanTilt><tt:Zoom>${state}</tt:Zoom></tt:MoveStatus><tt:UtcTime>${isoOf(device.now())}</tt:UtcTime></tptz:PTZStatus>`,
      );
    },
    ContinuousMove: act("ContinuousMove", (asked) => {
      const timeout = duration.parse(text(asked, "Timeout") ?? "") ?? DEFAULT_TIMEOUT_MS;
      motion.go(partsOf(asked, "Velocity"), timeout);
    }),
    AbsoluteMove: act("AbsoluteMove", (asked) => {
      if (!motion.goTo(partsOf(asked, "Position"))) throw argument("InvalidPosition");
    }),
    RelativeMove: act("RelativeMove", (asked) => {
      const by = Object.entries(partsOf(asked, "Translation")) as [keyof Position, number][];
      const { position } = motion;
      if (!motion.goTo(Object.fromEntries(by.map(([part, value]) => [part, position[part] + value]))))
        throw argument("InvalidTranslation");
    }),
    Stop: act("Stop", () => motion.stop()),
    GotoHomePosition: act("GotoHomePosition", () => motion.goHome()),
    SetHomePosition: act("SetHomePosition", () => motion.setHome()),
    GetPresets: (asked) => {
      profileOf(device, asked);
      const presets = [...motion.presets].map(
        ([token, { name, at }]) =>
          `<tptz:Preset token="${escapeXml(token)}"><tt:Name>${escapeXml(name)}</tt:Name>${vector("PTZPosition", at)}</tptz:Preset>`,
      );
      return one("GetPresets", presets.join(""));
    },
    SetPreset: (asked) => {
      profileOf(device, asked);
      const token = text(asked, "PresetToken");
      if (token !== undefined) presetOf(motion, asked);
      const kept = motion.keep(text(asked, "PresetName"), token);
      if (kept === undefined)
        throw new SoapFault("Receiver", ["Action", "TooManyPresets"], "No room for another preset");
      return one("SetPreset", `<tptz:PresetToken>${escapeXml(kept)}</tptz:PresetToken>`);
    },
    RemovePreset: act("RemovePreset", (asked) => motion.presets.delete(presetOf(motion, asked))),
    GotoPreset: act("GotoPreset", (asked) => motion.goTo(motion.presets.get(presetOf(motion, asked))?.at ?? {})),
    GetPresetTours: (asked) => {
      profileOf(device, asked);
      return one("GetPresetTours", [...motion.tours].map(([token, tour]) => printTour(token, tour)).join(""));
    },
    GetPresetTour: (asked) => {
      profileOf(device, asked);
      return one("GetPresetTour", printTour(...tourOf(motion, asked)));
    },
    OperatePresetTour: act("OperatePresetTour", (asked) =>
      operateTour(motion, tourOf(motion, asked)[1], text(asked, "Operation")),
    ),
    GetPresetTourOptions: (asked) => {
      profileOf(device, asked);
      return one("GetPresetTourOptions", printTourOptions(motion.presets.keys()));
    },
    CreatePresetTour: (asked) => {
      profileOf(device, asked);
      return one("CreatePresetTour", `<tptz:PresetTourToken>${createTour(motion)}</tptz:PresetTourToken>`);
    },
    ModifyPresetTour: act("ModifyPresetTour", ({ element }) => {
      const wish = findPath(element, "PresetTour");
      if (wish === undefined) throw argument("InvalidPresetTour");
      modifyTour(motion, wish);
    }),
    RemovePresetTour: act("RemovePresetTour", (asked) => motion.tours.delete(tourOf(motion, asked)[0])),
    SendAuxiliaryCommand: (asked) => {
      profileOf(device, asked);
      return one("SendAuxiliaryCommand", `<tptz:AuxiliaryResponse>done</tptz:AuxiliaryResponse>`);
    },
  };
}

function argument(word: string): SoapFault {
  return new SoapFault("Sender", ["InvalidArgVal", word], `There is something wrong: ${word}`);
}

function text({ element }: Asked, name: string): string | undefined {
  return findPath(element, name)?.text.trim();
}

function profileOf({ streams }: Device, asked: Asked): void {
  if (!streams.some(({ token }) => token === text(asked, "ProfileToken"))) throw argument("NoProfile");
}

function presetOf(motion: Motion, asked: Asked): string {
  const token = text(asked, "PresetToken") ?? "";
  if (!motion.presets.has(token)) throw argument("NoToken");
  return token;
}

function tourOf(motion: Motion, asked: Asked): [token: string, tour: Tour] {
  const token = text(asked, "PresetTourToken") ?? "";
  const tour = motion.tours.get(token);
  if (tour === undefined) throw argument("NoToken");
  return [token, tour];
}

function number(of: XmlElement, attribute: string): number {
  return Number(attributeOf(of, attribute)) || 0;
}

function partsOf({ element }: Asked, name: string): Partial<Position> {
  const [panTilt, zoom] = [findPath(element, name, "PanTilt"), findPath(element, name, "Zoom")];
  return {
    ...(panTilt === undefined ? {} : { pan: number(panTilt, "x"), tilt: number(panTilt, "y") }),
    ...(zoom === undefined ? {} : { zoom: number(zoom, "x") }),
  };
}

function vector(name: string, { pan, tilt, zoom }: Position): string {
  return `<tt:${name}><tt:PanTilt x="${pan}" y="${tilt}" space="${SPACES}PanTiltSpaces/PositionGenericSpace"/><tt:Zoom x="${zoom}" space="${SPACES}ZoomSpaces/PositionGenericSpace"/></tt:${name}>`;
}
