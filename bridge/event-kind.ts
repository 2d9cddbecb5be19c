/** What happens, in words of our own, whatever a camera's firmware calls it. */
export type EventKind =
  // of cameras
  | "motion"
  | "tamper"
  | "digital-input"
  | "relay"
  | "sound"
  | "line-crossed"
  | "zone-entered"
  | "person"
  | "vehicle"
  | "animal"
  | "face"
  | "doorbell"
  // the bridge's own
  | "camera-lost"
  | "recording"
  | "configuration"
  | "log-in-failed";
