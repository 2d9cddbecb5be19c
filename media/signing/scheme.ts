/** Who made the format: ONVIF (Media Signing Specification, "SEI format"), or Axis, whose Signed Video was there before it. */
export const SIGNING_SCHEMES = ["onvif-media-signing", "axis-signed-video"] as const;
export type SigningScheme = (typeof SIGNING_SCHEMES)[number];

/** For people. */
export const SCHEME_NAMES: Readonly<Record<SigningScheme, string>> = {
  "onvif-media-signing": "ONVIF Media Signing",
  "axis-signed-video": "Axis Signed Video",
};
