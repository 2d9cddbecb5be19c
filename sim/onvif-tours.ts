import { attributeOf, escapeXml, findPath, type XmlElement } from "../wsdl/xml.ts";
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

/** What tours may be (ONVIF PTZ, GetPresetTourOptions). */
export function printTourOptions(presets: Iterable<string>): string {
  const tokens = [...presets].map((preset) => `<tt:PresetToken>${escapeXml(preset)}</tt:PresetToken>`).join("");
  const stay = "<tt:StayTime><tt:Min>PT1S</tt:Min><tt:Max>PT60S</tt:Max></tt:StayTime>";
  return `<tptz:Options><tt:AutoStart>true</tt:AutoStart><tt:StartingCondition><tt:Direction>Forward</tt:Direction></tt:StartingCondition><tt:TourSpot><tt:PresetDetail>${tokens}<tt:Home>true</tt:Home></tt:PresetDetail>${stay}</tt:TourSpot></tptz:Options>`;
}

const MOST_TOURS = 4;

/** The token of a new tour with nothing in it. */
export function createTour(motion: Motion): string {
  if (motion.tours.size >= MOST_TOURS)
    throw new SoapFault("Sender", ["InvalidArgVal", "TooManyPresetTours"], "No room for another tour");
  let count = 1;
  while (motion.tours.has(`sim_tour_${count}`)) count += 1;
  motion.tours.set(`sim_tour_${count}`, { name: "", state: "Idle", presets: [] });
  return `sim_tour_${count}`;
}

/** What is asked for takes the place of all that a tour was. */
export function modifyTour(motion: Motion, wish: XmlElement): void {
  const tour = motion.tours.get(attributeOf(wish, "token") ?? "");
  if (tour === undefined) throw new SoapFault("Sender", ["InvalidArgVal", "NoToken"], "There is no such tour");
  const spots = wish.children.filter(({ name }) => name === "TourSpot");
  const presets = spots.flatMap((spot) => findPath(spot, "PresetDetail", "PresetToken")?.text.trim() ?? []);
  if (presets.some((preset) => !motion.presets.has(preset)))
    throw new SoapFault("Sender", ["InvalidArgVal", "InvalidPresetTour"], "There is no such preset");
  tour.name = findPath(wish, "Name")?.text.trim() ?? tour.name;
  tour.presets = presets;
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
