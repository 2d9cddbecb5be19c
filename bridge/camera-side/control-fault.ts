import { asFault, Fault } from "../../base/fault.ts";
import { RefusedByCamera } from "../../onvif/client/caller.ts";
import { SoapFault } from "../../wsdl/envelope.ts";

type Place = readonly ["Sender" | "Receiver", "InvalidArgVal" | "Action" | "ActionNotSupported"];

const ARGUMENT: Place = ["Sender", "InvalidArgVal"];
const ACTION: Place = ["Receiver", "Action"];

/** What a camera may say of a request that was handed on to it: words of the PTZ, imaging and media services, and where they stand. */
const WORDS: Readonly<Record<string, Place>> = {
  SpaceNotSupported: ARGUMENT,
  InvalidPosition: ARGUMENT,
  InvalidSpeed: ARGUMENT,
  InvalidTranslation: ARGUMENT,
  InvalidVelocity: ARGUMENT,
  TimeoutNotSupported: ARGUMENT,
  NoToken: ARGUMENT,
  InvalidPresetName: ARGUMENT,
  PresetExist: ARGUMENT,
  InvalidPresetTour: ARGUMENT,
  TooManyPresetTours: ARGUMENT,
  ActivationFailed: ["Receiver", "InvalidArgVal"],
  SettingsInvalid: ARGUMENT,
  ConfigModify: ARGUMENT,
  ConfigurationConflict: ["Receiver", "Action"],
  MovingPTZ: ACTION,
  TooManyPresets: ACTION,
  NoHomePosition: ACTION,
  CannotOverwriteHome: ACTION,
  NoStatus: ACTION,
  NoImagingForSource: ["Receiver", "ActionNotSupported"],
};

/**
 * What of a camera's refusal a client learns: ONVIF's own words where the camera used one that is known, nothing else that it wrote.
 * That the camera does not let the bridge in is no matter of the client's log-in.
 */
export function controlFault(error: unknown): Fault {
  const fault = asFault(error);
  if (fault instanceof SoapFault) return fault;
  if (fault instanceof RefusedByCamera) return refusal(fault);
  const { kind, message: text } = fault;
  if (kind === "unauthenticated" || kind === "denied")
    return new Fault("unavailable", text, { tell: "the camera does not let the bridge do this", cause: error });
  if (kind === "invalid" || kind === "not-found")
    return new Fault("unavailable", text, { tell: "the camera's answer cannot be used", cause: error });
  return fault;
}

export function notSupported(): SoapFault {
  return new SoapFault("invalid", "Receiver", ["ActionNotSupported"], "The camera does not have this");
}

function refusal(fault: RefusedByCamera): SoapFault {
  const word = fault.subcodes.find((one) => Object.hasOwn(WORDS, one));
  const place = word === undefined ? undefined : WORDS[word];
  if (word !== undefined && place !== undefined)
    return new SoapFault("invalid", place[0], [place[1], word], "The camera refuses this", { cause: fault });
  return fault.subcodes.includes("ActionNotSupported")
    ? new SoapFault("invalid", "Receiver", ["ActionNotSupported"], "The camera does not have this", { cause: fault })
    : new SoapFault("invalid", "Sender", ["InvalidArgVal"], "The camera refuses this", { cause: fault });
}
