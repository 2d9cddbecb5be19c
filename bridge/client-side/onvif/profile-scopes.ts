/** ONVIF's profiles of devices that send and record video. */
export const ONVIF_PROFILES = ["S", "G", "T"] as const;

export type OnvifProfile = (typeof ONVIF_PROFILES)[number];

/** As the scope of each is called: Profile S by what it was for. */
const SCOPES: Readonly<Record<OnvifProfile, string>> = { S: "Streaming", G: "G", T: "T" };

/**
 * Those of which every mandatory function is here: announced without being asked for. Clients take a profile's scope for that promise, so
 * a test compares this with the table (`scripts/onvif-profile-table.ts`).
 */
export const FULL_PROFILES: readonly OnvifProfile[] = [];

/** Of the full ones, and of those that somebody has switched on. */
export function profileScopes(switchedOn: readonly OnvifProfile[]): readonly string[] {
  const announced = ONVIF_PROFILES.filter((one) => FULL_PROFILES.includes(one) || switchedOn.includes(one));
  return announced.map((one) => `onvif://www.onvif.org/Profile/${SCOPES[one]}`);
}
