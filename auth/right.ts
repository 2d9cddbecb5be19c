/** What may be done with a camera, and in which words pages and commands say it. */
export const CAMERA_RIGHTS = {
  see: "know that it exists",
  live: "watch live",
  playback: "play recordings",
  search: "search in recordings",
  export: "export recordings",
  snapshot: "fetch single pictures",
  audio: "hear its sound, live and recorded",
  talk: "talk through its speaker",
  metadata: "have metadata with the picture",
  events: "be told of its events",
  ptz: "turn and zoom it",
  presets: "see and change its presets",
  imaging: "change its picture settings",
  encoding: "change how it encodes its streams, for all who watch",
  relay: "switch its outputs",
  record: "switch its recording on and off",
  fetch: "fetch into its recordings what it has recorded itself",
  bookmark: "set and remove bookmarks in its recordings",
  lock: "lock its recordings against deletion, and unlock them",
} as const;

/** What may be done with the product itself. */
export const SYSTEM_RIGHTS = {
  "adopt-camera": "find, adopt and set up cameras",
  "manage-accounts": "manage accounts, roles and groups",
  "read-status": "read the status of the bridge",
  "change-configuration": "change the configuration",
  "manage-directory": "set up the directory (LDAP)",
  "manage-keys": "manage keys and certificates",
  "read-audit": "read the audit log",
  approve: "approve what others ask for",
  "manage-credentials": "change the log-ins of cameras",
} as const;

/**
 * A function of a camera. Any of them on a camera makes it visible. `audio` and `metadata` let those tracks go with the picture,
 * live and recorded; `talk` lets through sound to the camera's speaker, for who watches live.
 */
export type CameraRight = keyof typeof CAMERA_RIGHTS;

export type SystemRight = keyof typeof SYSTEM_RIGHTS;

export type Right = CameraRight | SystemRight;

/** All of them, those over cameras first. */
export const RIGHTS = [...Object.keys(CAMERA_RIGHTS), ...Object.keys(SYSTEM_RIGHTS)] as readonly Right[];

/** Rights over cameras; the others are rights over the product. */
export function isCameraRight(right: Right): right is CameraRight {
  return Object.hasOwn(CAMERA_RIGHTS, right);
}

/** The doors through which a request may come. */
export const INTERFACES = ["web", "api", "onvif", "rtsp", "cli"] as const;

export type Interface = (typeof INTERFACES)[number];
