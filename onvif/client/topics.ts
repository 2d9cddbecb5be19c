import type { Item, Notification } from "../../wsdl/notification.ts";

/** What a camera's topic says, in words of our own. */
export interface Meaning<Kind extends string = string> {
  readonly kind: Kind;
  /** Whether it is so; undefined for what is over at once. */
  readonly active: boolean | undefined;
}

/** A row: topic without namespaces, `*` for any last step; our word; items that say whether it is so, none for what is over at once. */
const ROWS = [
  ["VideoSource/MotionAlarm", "motion", ["State"]],
  // agsh/onvif#24: a typing error of a firmware.
  ["VideoSoure/MotionAlarm", "motion", ["State"]],
  ["VideoAnalytics/Motion", "motion", ["State", "IsMotion"]],
  ["RuleEngine/CellMotionDetector/Motion", "motion", ["IsMotion", "State"]],
  ["RuleEngine/MotionRegionDetector/Motion", "motion", ["State", "IsMotion"]],
  // Axis video motion detection, whatever the profile is called.
  ["RuleEngine/VMD3/*", "motion", ["active"]],
  ["RuleEngine/VMD4/*", "motion", ["active"]],
  ["RuleEngine/TamperDetector/Tamper", "tamper", ["IsTamper", "State"]],
  ["VideoSource/GlobalSceneChange/*", "tamper", ["State"]],
  ["VideoSource/ImageTooBlurry/*", "tamper", ["State"]],
  ["VideoSource/ImageTooDark/*", "tamper", ["State"]],
  ["VideoSource/ImageTooBright/*", "tamper", ["State"]],
  ["Device/Trigger/DigitalInput", "digital-input", ["LogicalState", "State"]],
  ["Device/Trigger/Relay", "relay", ["LogicalState", "State"]],
  ["AudioAnalytics/Audio/DetectedSound", "sound", ["IsSoundDetected", "State"]],
  ["RuleEngine/LineDetector/Crossed", "line-crossed", []],
  ["RuleEngine/FieldDetector/ObjectsInside", "zone-entered", ["IsInside", "State"]],
  // Reolink, TP-Link and others (dmitrif/onvif2mqtt PR#34; scrypted onvif-api.ts).
  ["RuleEngine/MyRuleDetector/PeopleDetect", "person", ["State"]],
  ["RuleEngine/MyRuleDetector/VehicleDetect", "vehicle", ["State"]],
  ["RuleEngine/MyRuleDetector/DogCatDetect", "animal", ["State"]],
  ["RuleEngine/MyRuleDetector/FaceDetect", "face", ["State"]],
  ["RuleEngine/MyRuleDetector/Visitor", "doorbell", ["State"]],
  ["RuleEngine/PeopleDetector/People", "person", ["IsPeople", "State"]],
] as const;

export type CameraEventKind = (typeof ROWS)[number][1];

type Row = (typeof ROWS)[number];

const BY_TOPIC: ReadonlyMap<string, Row> = new Map(ROWS.map((row) => [row[0], row]));

function rowOf(topic: Notification["topic"]): Row | undefined {
  const names = topic.map((step) => step.replace(/^\{.*\}/, ""));
  return BY_TOPIC.get(names.join("/")) ?? BY_TOPIC.get([...names.slice(0, -1), "*"].join("/"));
}

/** Undefined for a topic that has no word of ours, or does not say whether it is so. */
export function meaningOf({ topic, data }: Notification): Meaning<CameraEventKind> | undefined {
  const row = rowOf(topic);
  if (row === undefined) return undefined;
  const [, kind, items] = row;
  if (items.length === 0) return { kind, active: undefined };
  const active = truthOf(data, items);
  return active === undefined ? undefined : { kind, active };
}

/** What a notification says, with those items turned that say that it is so: it is over. */
export function overIn({ topic, data }: Notification): readonly Item[] {
  const names = rowOf(topic)?.[2] ?? [];
  return data.map(([name, value]) => {
    const over = names.some((of) => isNamed(of, name)) ? OPPOSITES.get(value.trim().toLowerCase()) : undefined;
    return [name, over ?? value];
  });
}

/** Each as {@link TRUE} and {@link FALSE} have it. */
const OPPOSITES: ReadonlyMap<string, string> = new Map([
  ["true", "false"],
  ["1", "0"],
  ["active", "inactive"],
  ["on", "off"],
]);

const TRUE = /^(?:true|1|active|on)$/i;
const FALSE = /^(?:false|0|inactive|off)$/i;

function truthOf(data: readonly Item[], names: readonly string[]): boolean | undefined {
  for (const name of names) {
    const value = data.find(([of]) => isNamed(name, of))?.[1].trim() ?? "";
    if (TRUE.test(value)) return true;
    if (FALSE.test(value)) return false;
  }
  return undefined;
}

function isNamed(name: string, given: string): boolean {
  return given.toLowerCase() === name.toLowerCase();
}
