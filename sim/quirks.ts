import type { Quirk as KnownQuirk } from "../base/quirk.ts";
import { MEDIA_QUIRKS } from "../media/known-quirks.ts";
import { RTSP_QUIRKS } from "../rtsp/client/known-quirks.ts";

/** Faults of cameras' ONVIF services. */
export const ONVIF_QUIRKS = {
  // Log-ins by UsernameToken are dated, and compared with this clock.
  "clock-off": {
    does: "its clock is three hours and some behind",
    source: "lumeohq/onvif-rs#79, #121; home-assistant/core#121952",
  },
  "clock-needs-login": {
    does: "tells the time only to those who are logged in",
    source: "Panasonic, Digital Barriers: agsh/onvif src/onvif.ts, getSystemDateAndTime",
  },
  "token-only": {
    does: "knows UsernameToken, but no HTTP digest",
    source: "devices of before HTTP digest: ONVIF Core 5.9.1",
  },
  "no-get-services": {
    does: "does not know GetServices, only GetCapabilities",
    source: "devices of before ONVIF 2.1: agsh/onvif README, connect()",
  },
  "media2-only": {
    does: "has the Media 2 service, but no Media 1",
    source: "Jazea/Onvif.Core#43",
  },
  "ragged-uri": {
    does: "puts line breaks around addresses and escapes them twice",
    source: 'Dahua: AlexxIT/go2rtc pkg/onvif/onvif_test.go, "Dahua stream formatted"',
  },
} as const satisfies Readonly<Record<string, Pick<KnownQuirk, "does" | "source">>>;

/** Faults of real cameras, each a switch of its own. They can be combined. */
export const QUIRKS = { ...ONVIF_QUIRKS, ...RTSP_QUIRKS, ...MEDIA_QUIRKS };

export type Quirk = keyof typeof QUIRKS;

export function isQuirk(name: string): name is Quirk {
  return Object.hasOwn(QUIRKS, name);
}
