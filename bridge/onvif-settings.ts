import { z } from "zod";
import { isNetwork } from "../base/address.ts";
import { ONVIF_PROFILES } from "./client-side/onvif/profile-scopes.ts";
import { USER_LEVELS, type UserLevel } from "./client-side/onvif/users.ts";
import type { CameraDeviceSettings } from "./client-side/onvif-part.ts";

/** Who may be sent events. */
export const notifications = z
  .strictObject({
    to: z
      .array(z.string().refine(isNetwork, "an IP address, or a network as in 10.2.0.0/24"))
      .default([])
      .describe(
        "Addresses and networks of those who may be sent events. Empty: nobody. Loopback, own addresses and networks of cameras only by an entry of their own, inside of them.",
      ),
    http: z.boolean().default(false).describe("Without TLS too. What happens can be read on the network then."),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the certificates (PEM) of the authority that made the certificates of those who are sent events. Without it, those that this machine trusts.",
      ),
  })
  .prefault({})
  .describe("Events sent to ONVIF clients that subscribe to them (WS-BaseNotification), besides being fetched.");

/** Profiles that are announced though they are not full. */
export const profileScopes = z
  .array(z.enum(ONVIF_PROFILES))
  .default([])
  .describe(
    "ONVIF profiles (`S`, `G`, `T`) to announce for a client that takes no device without, although not all of their mandatory functions are there: docs/reference/onvif-profiles.md says which are missing. Those that are full are announced anyway.",
  );

const level = (may: string) => z.string().min(1).max(64).optional().describe(`Id of the role of those who ${may}.`);

/** What ONVIF's user levels stand for. */
export const userLevels = z
  .strictObject({
    Administrator: level(
      "may everything in ONVIF's words: choose one that gives `manage-accounts` only where such a system is to make others",
    ),
    Operator: level("watch and control"),
    User: level("watch"),
  })
  .prefault({})
  .describe(
    "Roles that ONVIF's user levels stand for. Where one is set, who may manage accounts through ONVIF makes, changes and removes accounts of external systems by `CreateUsers`, `SetUser` and `DeleteUsers`, with passwords that they choose. None: those are not supported.",
  );

/** By level, the id of its role. */
export function userLevelsOf(settings: z.output<typeof userLevels>): ReadonlyMap<UserLevel, string> {
  const roles = USER_LEVELS.map((one) => [one, settings[one]] as const);
  return new Map(roles.flatMap(([one, role]) => (role === undefined ? [] : [[one, role] as const])));
}

/** A device for each camera. */
export const cameraDevices = z
  .strictObject({
    enabled: z.boolean().default(false),
    discovery: z
      .boolean()
      .default(false)
      .describe("Whether probes are answered for them too: everybody on the network learns ids and names of cameras."),
    own: z
      .array(
        z
          .strictObject({
            camera: z.string().min(1).max(64).describe("Its id."),
            address: z.string().min(1).optional().describe("An own address of this machine, for this camera alone."),
            https: z.int().min(1).max(65_535).optional().describe("TCP port, for this camera alone."),
            http: z.int().min(1).max(65_535).optional().describe("The same without TLS, where onvifHttp is enabled."),
          })
          .refine(({ address, https, http }) => (address ?? https ?? http) !== undefined, "an address or a port"),
      )
      .default([])
      .describe(
        "Addresses and ports of single cameras, for clients that know a device by these: camera, address, https, http.",
      ),
    accounts: z
      .record(z.string(), z.enum(["bridge", "cameras", "both"]))
      .default({})
      .describe(
        "By name of an account, which devices it may use: that of the bridge, with all cameras, those of cameras, or both, as others may.",
      ),
  })
  .prefault({})
  .describe(
    "An ONVIF device for each camera besides that of the bridge, at `/onvif/camera/ID/device_service`, for clients that take a device for a camera.",
  );

/** The devices of single cameras; undefined where they are switched off. */
export function cameraDevicesOf(settings: z.output<typeof cameraDevices>): CameraDeviceSettings | undefined {
  const { enabled, discovery, own, accounts } = settings;
  if (!enabled) return undefined;
  const shown = new Map(Object.entries(accounts).map(([name, devices]) => [name.toLowerCase(), devices]));
  return { discoverable: discovery, own, shown };
}
