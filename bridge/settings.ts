import { join } from "node:path";
import { z } from "zod";
import { approvalSchema } from "../auth/acts.ts";
import { FACTOR_DEMANDS } from "../auth/factor-demand.ts";
import { parseGroupRange } from "../net/multicast.ts";
import { PORTS_OF_STREAM } from "../rtsp/server/multicast.ts";
import { clientCertificatesSchema } from "./client-certificate-settings.ts";
import { type MulticastPlan, STREAMS_WITH_OWN_PORTS } from "./client-side/multicast-plan.ts";
import { directoriesSchema } from "./directory-settings.ts";
import { edgeSchema } from "./edge-settings.ts";
import { jwtSchema } from "./jwt-settings.ts";
import { kerberosSchema } from "./kerberos-settings.ts";
import { mailSchema } from "./mail-settings.ts";
import { ntlmSchema } from "./ntlm-settings.ts";
import { cameraDevices, notifications, profileScopes, userLevels } from "./onvif-settings.ts";
import { recordingPlanSchema } from "./recording-plan.ts";
import { smsSchema } from "./sms-settings.ts";
import { timeStampSchema } from "./time-stamp-settings.ts";
import { keysSchema } from "./token-settings.ts";
import { archiveSchema, volumesSchema } from "./volume-settings.ts";

const port = (fallback: number) =>
  z.int().min(0).max(65_535).default(fallback).describe(`TCP port; 0 lets the system choose. Default ${fallback}.`);

/** So that the last stream's ports are some. */
const HIGHEST_MULTICAST_PORT = 65_536 - STREAMS_WITH_OWN_PORTS * PORTS_OF_STREAM;

/** `50000-50999`. */
function isPortRange(text: string): boolean {
  const { first, last } = portRangeOf(text);
  return first >= 1024 && last > first && last <= 65_535;
}

/** The UDP ports of {@link settingsSchema}. */
export function portRangeOf(text: string): { readonly first: number; readonly last: number } {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  return { first: Number(first), last: Number(last) };
}

const recording = z
  .strictObject({
    folder: z.string().min(1).optional().describe("Where recordings go. Default: `recordings` in the data folder."),
    minAgeDays: z
      .number()
      .min(0)
      .max(3650)
      .default(0)
      .describe(
        "Younger recordings are deleted only where there is no room for anything else, after an alarm. Can be set for each camera, as the two below.",
      ),
    maxAgeDays: z.number().positive().max(3650).default(30).describe("Older recordings are deleted."),
    maxGigabytes: z
      .number()
      .positive()
      .optional()
      .describe(
        "The oldest recordings of any camera are deleted beyond this sum (10^9 bytes). Default: 100, or no sum where there are volumes.",
      ),
    maxGigabytesPerCamera: z.number().positive().optional().describe("Likewise for each camera by itself."),
    keepFreeGigabytes: z
      .number()
      .min(0)
      .default(1)
      .describe("Space on the disk that stays free: the oldest recordings are deleted before it is used up."),
    volumes: volumesSchema,
    archive: archiveSchema,
    encryption: z
      .enum(["full", "light", "none"])
      .default("full")
      .describe(
        "Of new recordings: everything; parameter sets and the beginning of each picture, which keeps players out and not experts; or nothing.",
      ),
    newCameras: recordingPlanSchema
      .prefault({ mode: "continuous" })
      .describe(
        "When the main stream of a camera is recorded that is adopted from now on; changed for each camera later.",
      ),
    preRollMegabytes: z
      .number()
      .min(0)
      .max(65_536)
      .default(256)
      .describe(
        "Memory (10^6 bytes) for what was before events, of all streams together; 16 MiB are the most for one.",
      ),
    segmentSeconds: z.number().min(10).max(600).default(60).describe("Aimed length of a file, cut at key frames."),
    flushSeconds: z
      .number()
      .min(0)
      .max(60)
      .default(5)
      .describe("How much a power cut may cost. A crash of the process alone costs at most 2 s whatever stands here."),
    answerSeconds: z
      .number()
      .min(2)
      .max(600)
      .default(10)
      .describe(
        "A disk that gives no answer for so long is taken for failed, and what would go to it goes to another volume; where there is none, it is waited for.",
      ),
    edge: edgeSchema,
    cameraCa: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the certificates (PEM) of the authorities of cameras that sign their streams, or of such cameras. Whoever signed is taken, and named, if absent. Pages and exports say what it comes to; `viaduct verify` has `--camera-ca`.",
      ),
    timeStamps: timeStampSchema
      .optional()
      .describe("The authority that stamps the time of each hourly anchor (RFC 3161). Nobody does if absent."),
  })
  .prefault({});

const cameraSide = z.strictObject({
  interfaces: z
    .array(z.string().min(1))
    .min(1)
    .describe("Own addresses on camera networks, or the networks themselves: `10.1.0.5` or `10.1.0.0/24`."),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File with the certificates (PEM) of the authority that made the cameras' certificates. Cameras that are adopted over TLS must have one of these, for the address that is dialed. Without it the key that a camera has when it is adopted is the one that it must have afterwards.",
    ),
  lingerSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(10)
    .describe("How long a stream that is pulled on demand goes on after the last of those who watched it has left."),
});

const clientSide = z
  .strictObject({
    addresses: z
      .array(z.string().min(1))
      .min(1)
      .describe("Own addresses on which clients are served. Nothing else is bound."),
    names: z
      .array(z.string().min(1))
      .default([])
      .describe("Host names and addresses by which clients may also know this machine; they go into the certificate."),
    web: z
      .strictObject({ port: port(8443) })
      .prefault({})
      .describe("HTTPS: web pages, API, ONVIF, and RTSP inside HTTPS and WebSockets."),
    rtsps: z
      .strictObject({ port: port(8322) })
      .prefault({})
      .describe("RTSP inside TLS."),
    rtsp: z
      .strictObject({ enabled: z.boolean().default(false), port: port(8554) })
      .prefault({})
      .describe("Plain RTSP. Log-ins are digest only, pictures are in clear text."),
    udp: z
      .strictObject({
        enabled: z.boolean().default(false),
        ports: z
          .string()
          .refine((text) => isPortRange(text), "two ports as in 50000-50999: from 1024 on, and at least two")
          .optional()
          .describe("UDP ports to send from, as `50000-50999`: two for each track. Without it the system chooses."),
      })
      .prefault({})
      .describe("RTP over UDP for clients of plain RTSP. Pictures are in clear text."),
    srtp: z
      .strictObject({ enabled: z.boolean().default(false) })
      .prefault({})
      .describe("SRTP over UDP for clients of RTSPS that ask for it, from the same ports as `udp`."),
    multicast: z
      .strictObject({
        enabled: z.boolean().default(false),
        groups: z
          .string()
          .default("239.192.0.0/16")
          .refine((text) => parseGroupRange(text) !== undefined, "IPv4 multicast groups as in 239.192.0.0/16")
          .describe("The groups to use, one for each stream. Agree on them with whoever runs the network."),
        port: z
          .int()
          .min(1024)
          .max(HIGHEST_MULTICAST_PORT)
          .refine((value) => value % 2 === 0, "an even port: RTP has even ones (RFC 3550 11)")
          .default(20_000)
          .describe(`First UDP port at the groups; each stream has ${PORTS_OF_STREAM} of its own.`),
        ttl: z.int().min(1).max(255).default(1).describe("How many networks far it goes; 1 does not leave this one."),
      })
      .prefault({})
      .describe(
        "Live streams by multicast for clients of plain RTSP. Pictures are in clear text, and everybody on the network can hear them, with or without an account.",
      ),
    onvifHttp: z
      .strictObject({ enabled: z.boolean().default(false), port: port(8080) })
      .prefault({})
      .describe("ONVIF over plain HTTP, and RTSP inside it, for clients without TLS. Pictures are in clear text."),
    clientCertificates: clientCertificatesSchema,
    notifications,
    profileScopes,
    userLevels,
    cameraDevices,
    discovery: z
      .strictObject({ enabled: z.boolean().default(false), port: port(3702) })
      .prefault({})
      .describe("Whether the bridge answers WS-Discovery probes of clients."),
  })
  .refine(({ multicast, rtsp }) => rtsp.enabled || !multicast.enabled, {
    path: ["multicast", "enabled"],
    error: "multicast is for clients of plain RTSP, which is not enabled: rtsp: { enabled: true }",
  });

const audit = z
  .strictObject({
    maxAgeDays: z
      .number()
      .min(1)
      .max(3650)
      .default(365)
      .describe("Older files of the audit log are removed, which the log states and signs."),
    maxMegabytes: z
      .number()
      .min(50)
      .default(1000)
      .describe("The oldest files of the audit log are removed beyond this sum (10^6 bytes)."),
    forward: z
      .array(
        z.strictObject({
          name: z
            .string()
            .regex(/^[a-z0-9-]{1,32}$/)
            .describe("a-z, 0-9 and -; how far it is sent is kept under it."),
          host: z.string().min(1).describe("Name or IP address of the receiver, which its certificate must have."),
          port: z.int().min(1).max(65_535).default(6514).describe("Default 6514, syslog over TLS."),
          format: z
            .enum(["syslog", "cef", "json"])
            .default("syslog")
            .describe("RFC 5424 with the line of the log as its text; CEF in syslog; or the lines of the log alone."),
          ca: z
            .string()
            .min(1)
            .optional()
            .describe(
              "File with the certificates (PEM) of the receiver's authority. Without it, those that this machine trusts.",
            ),
        }),
      )
      .max(8)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "two of them have one name")
      .default([])
      .describe("Who is sent the audit log as it is written, over TLS (RFC 5425)."),
  })
  .prefault({});

const wholeFile = z.strictObject({
  dataFolder: z.string().min(1).describe("Accounts, cameras, keys, certificate and audit log. Made if missing."),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  cameraSide,
  clientSide,
  recording,
  keys: keysSchema,
  audit,
  exports: z
    .strictObject({
      folder: z
        .string()
        .min(1)
        .optional()
        .describe("Where exports are made and kept. Default: `exports` in the data folder."),
      keepHours: z.number().positive().max(720).default(24).describe("A finished export can be fetched for so long."),
      maxGigabytes: z.number().positive().default(50).describe("What one export may have (10^9 bytes of recordings)."),
    })
    .prefault({}),
  accounts: z
    .strictObject({
      secondFactor: z
        .enum(FACTOR_DEMANDS)
        .default("by-role")
        .describe(
          "Who must have a second factor, and is let in nowhere before they have set one up: whoever has a role that demands it; administrators too; everybody.",
        ),
    })
    .prefault({}),
  directory: directoriesSchema,
  kerberos: kerberosSchema,
  jwt: jwtSchema,
  ntlm: ntlmSchema,
  approval: approvalSchema,
  mail: mailSchema
    .optional()
    .describe("The server that e-mail is given to: codes to log in with. None is sent if absent."),
  sms: smsSchema
    .optional()
    .describe("The gateway that SMS are given to over HTTPS: codes to log in with. None is sent if absent."),
  metrics: z
    .strictObject({
      token: z
        .string()
        .min(16)
        .optional()
        .describe("Bearer token for /metrics. Without it, only this machine sees them."),
    })
    .prefault({}),
});

/** The whole configuration file of `viaduct serve`. */
export const settingsSchema = wholeFile.superRefine(({ kerberos, ntlm, directory }, context) => {
  for (const [at, one] of (kerberos?.realms ?? []).entries())
    if (!directory.some(({ name }) => name === one.directory))
      context.addIssue({
        code: "custom",
        path: ["kerberos", "realms", at, "directory"],
        message: `there is no directory ${one.directory}`,
      });
  for (const [at, one] of (ntlm?.domains ?? []).entries()) {
    const found = directory.find(({ name }) => name === one.directory);
    if (found?.schema === "ad") continue;
    const message =
      found === undefined ? `there is no directory ${one.directory}` : `${one.directory} is no Active Directory`;
    context.addIssue({ code: "custom", path: ["ntlm", "domains", at, "directory"], message });
  }
});

export type Settings = z.output<typeof settingsSchema>;

/** Where cameras are sent by multicast; undefined where that is switched off. */
export function multicastPlanOf({ multicast }: Settings["clientSide"]): MulticastPlan | undefined {
  const groups = parseGroupRange(multicast.groups);
  return multicast.enabled && groups !== undefined ? { groups, port: multicast.port, ttl: multicast.ttl } : undefined;
}

/** Names and addresses that the certificate for clients has to have. */
export function hostsOf({ addresses, names, cameraDevices }: Settings["clientSide"]): readonly string[] {
  return [...addresses, ...names, ...cameraDevices.own.flatMap(({ address }) => address ?? [])];
}

/** The folder of the recordings. */
export function recordingsOf({ dataFolder, recording }: Pick<Settings, "dataFolder" | "recording">): string {
  return recording.folder ?? join(dataFolder, "recordings");
}

/** The folder of the exports. */
export function exportsOf({ dataFolder, exports }: Pick<Settings, "dataFolder" | "exports">): string {
  return exports.folder ?? join(dataFolder, "exports");
}

/** The configuration's JSON Schema, for editors (`# yaml-language-server: $schema=…`). */
export function settingsJsonSchema(): object {
  return z.toJSONSchema(settingsSchema, { io: "input" });
}
