import { escapeXml } from "../wsdl/xml.ts";
import type { Motion, Tour } from "./motion.ts";
import { SoapFault } from "./soap.ts";

/** What a node says of its preset tours (ONVIF PTZ, "Preset Tour"). */
export const SUPPORTED_TOURS =
  "<tt:Extension><tt:SupportedPresetTour><tt:MaximumNumberOfPresetTours>4</tt:MaximumNumberOfPresetTours>" +
  ["Start", "Stop", "Pause"].map((one) => `<tt:PTZPresetTourOperation>${one}</tt:PTZPresetTourOperation>`).join("") +
  "</tt:SupportedPresetTour></tt:Extension>";

export function printTour(token: string, { name, state, presets }: Tour): string {
  const spots = presets.map(
    (preset) =>
      `<tt:TourSpot><tt:PresetDetail><tt:PresetToken>${escapeXml(preset)}</tt:PresetToken></tt:PresetDetail><tt:StayTime>PT5S</tt:StayTime></tt:TourSpot>`,
  );
  const home = "<tt:TourSpot><tt:PresetDetail><tt:Home>true</tt:Home></tt:PresetDetail></tt:TourSpot>";
  return `<tptz:PresetTour token="${escapeXml(token)}"><tt:Name>${escapeXml(name)}</tt:Name><tt:Status><tt:State>${state}</tt:State></tt:Status><tt:AutoStart>false</tt:AutoStart><tt:StartingCondition><tt:Direction>Forward</tt:Direction></tt:StartingCondition>${spots.join("")}${home}</tptz:PresetTour>`;
}

/** One tour at a time, and not while the head is moved. */
export function operateTour(motion: Motion, tour: Tour, operation: string | undefined): void {
  if (operation === "Start") {
    const other = [...motion.tours.values()].some((one) => one !== tour && one.state !== "Idle");
    if (other || motion.moving)
      throw new SoapFault("Receiver", ["InvalidArgVal", "ActivationFailed"], "The head is busy");
    tour.state = "Touring";
  } else if (operation === "Stop") tour.state = "Idle";
  else if (operation === "Pause" && tour.state === "Touring") tour.state = "Paused";
  else throw new SoapFault("Sender", ["InvalidArgVal", "InvalidPresetTour"], "That cannot be done with it");
}
