import { z } from "zod";
import { policyId } from "../auth/grants.ts";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { type DirectoryOptions, PRESETS } from "../directory/options.ts";
import { readCa } from "./certificates-file.ts";
import { passwordIn } from "./password-file.ts";

const LIMITS = {
  directories: 8,
  mappings: 500,
} as const;

/** The ports of LDAPS, and of LDAP with StartTLS. */
const PORTS = { ldaps: 636, starttls: 389, none: 389 } as const;

const attribute = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, "the name of an attribute");
const host = z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, "a host name or an IP address");

const directory = z
  .strictObject({
    name: policyId.describe("By which it is called here; in accounts too, so it never changes."),
    schema: z
      .enum(["ad", "rfc2307"])
      .default("ad")
      .describe("`ad`: Active Directory, Samba. `rfc2307`: groups that list their members: OpenLDAP, 389, FreeIPA."),
    servers: z
      .array(host)
      .max(8)
      .default([])
      .describe("Asked in this order, as their certificates name them. Without any, DNS names those of `domain`."),
    domain: host.optional().describe("Whose servers DNS names (SRV records), where there are no `servers`."),
    nameServers: z
      .array(z.string().min(2).max(64))
      .max(4)
      .default([])
      .describe("DNS servers (addresses), where those of this machine do not know the directory's names."),
    encryption: z
      .enum(["ldaps", "starttls", "none"])
      .default("ldaps")
      .describe(
        "`none` is for laboratories: everybody on the way reads all passwords. Every sync then writes a warning to the log and the audit log.",
      ),
    port: z.int().min(1).max(65_535).optional().describe("Default 636 for `ldaps`, 389 otherwise."),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the certificates (PEM) of the authority that made the servers' certificates. Default: public ones.",
      ),
    pin: z
      .string()
      .regex(/^[A-Za-z0-9+/]{43}=$/, "SHA-256 in base64")
      .optional()
      .describe("SHA-256 of the server's key (SubjectPublicKeyInfo), base64, instead of an authority."),
    account: z
      .string()
      .min(1)
      .max(512)
      .describe("Who reads: a DN, or in AD `name@domain`. It needs to read, and nothing else."),
    passwordFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with its password, not readable by all. Without it, the one that `viaduct directory password` keeps sealed.",
      ),
    base: z.string().min(3).max(512).describe("DN below which people and groups are."),
    userBase: z.string().min(3).max(512).optional().describe("Of people alone."),
    groupBase: z.string().min(3).max(512).optional().describe("Of groups alone."),
    userFilter: z
      .string()
      .min(3)
      .max(1024)
      .optional()
      .describe("Search filter (RFC 4515) of people. Default: that of the schema."),
    groupFilter: z.string().min(3).max(1024).optional().describe("The same of groups."),
    attributes: z
      .strictObject({ id: attribute.optional(), name: attribute.optional(), displayName: attribute.optional() })
      .prefault({})
      .describe("Other names of attributes: `id` never changes, `name` is what people log in with."),
    roles: z
      .array(
        z.strictObject({
          group: z.string().min(1).max(512).describe("DN of the group, or its name."),
          roles: z.array(policyId).min(1).max(50).describe("Ids of roles that everybody in it has, groups in it too."),
        }),
      )
      .min(1)
      .max(LIMITS.mappings)
      .describe("Which groups give which roles. Whoever is in none of them has no account here."),
    intervalMinutes: z.number().min(1).max(1440).default(5).describe("How often it is asked for what has changed."),
    fullHours: z.number().min(1).max(168).default(24).describe("How often everything is read anew."),
    brake: z
      .strictObject({
        count: z.int().min(0).max(100_000).default(5),
        percent: z.number().min(0).max(100).default(20),
      })
      .prefault({})
      .describe(
        "A sync that would take rights from more people than both of these changes nothing until somebody confirms it. Percent of all who have an account by this directory.",
      ),
  })
  .refine(({ servers, domain }) => servers.length > 0 || domain !== undefined, {
    path: ["servers"],
    error: "write servers, or the domain whose servers DNS names",
  })
  .refine(({ ca, pin }) => ca === undefined || pin === undefined, { path: ["pin"], error: "ca or pin, not both" });

/** The part of the configuration that is about directories. */
export const directoriesSchema = z
  .array(directory)
  .max(LIMITS.directories)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "two directories have the same name")
  .default([])
  .describe("LDAP directories and Active Directory domains whose people may log in.");

export type DirectorySettings = z.output<typeof directory>;

/** What the directory's own code works with. `kept`: the sealed password, where no file is named. Fault `invalid` (the file of the authority). */
export async function directoryOptions(
  settings: DirectorySettings,
  kept: () => Promise<Secret | undefined>,
): Promise<DirectoryOptions> {
  const { name, schema, base, attributes, encryption, ca, pin, passwordFile } = settings;
  const preset = PRESETS[schema];
  const given = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
  return {
    name,
    schema,
    servers: settings.servers,
    domain: settings.domain,
    nameServers: settings.nameServers,
    encryption,
    port: settings.port ?? PORTS[encryption],
    trust: { ca: ca === undefined ? undefined : await readCa(ca, "directory.ca"), pin },
    account: settings.account,
    password:
      passwordFile === undefined
        ? () => keptPassword(name, kept)
        : () => passwordIn(passwordFile, "directory.passwordFile"),
    userBase: settings.userBase ?? base,
    groupBase: settings.groupBase ?? base,
    userFilter: settings.userFilter ?? preset.userFilter,
    groupFilter: settings.groupFilter ?? preset.groupFilter,
    attributes: { ...preset.attributes, ...given },
    roles: settings.roles,
  };
}

async function keptPassword(name: string, kept: () => Promise<Secret | undefined>): Promise<Secret> {
  const password = await kept();
  if (password !== undefined) return password;
  const tell = `the password of directory ${name} is not known: name a passwordFile, or run \`viaduct directory password ${name}\``;
  throw new Fault("unavailable", tell, { tell });
}
