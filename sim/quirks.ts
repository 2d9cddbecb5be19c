interface QuirkText {
  /** What the camera does, in a few words. */
  readonly summary: string;
  /** Where the behavior was seen in real cameras. */
  readonly source: string;
}

/** Faults of real cameras, each a switch of its own. They can be combined. */
export const QUIRKS = {
  "wrong-host-uri": {
    summary: "names another host in its service and stream addresses",
    source: "frigate#18352; agsh/onvif#41, #170; a camera behind address translation or with a second network card",
  },
  "clock-off": {
    summary: "its clock is three hours and some behind",
    source: "lumeohq/onvif-rs#121, #79; home-assistant/core#121952",
  },
} as const satisfies Readonly<Record<string, QuirkText>>;

export type Quirk = keyof typeof QUIRKS;

export function isQuirk(name: string): name is Quirk {
  return Object.hasOwn(QUIRKS, name);
}
