/** What cameras tell of, in words of our own, whatever their firmware calls it. */
export const CAMERA_EVENT_KINDS = [
  "motion",
  "tamper",
  "digital-input",
  "relay",
  "sound",
  "line-crossed",
  "zone-entered",
  "person",
  "vehicle",
  "animal",
  "face",
  "doorbell",
] as const;

/** What happens: of cameras, and the bridge's own. */
export type EventKind =
  | (typeof CAMERA_EVENT_KINDS)[number]
  | "camera-lost"
  | "storage"
  | "recording"
  | "configuration"
  | "log-in-failed";
