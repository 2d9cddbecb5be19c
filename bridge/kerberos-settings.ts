import { z } from "zod";
import { policyId } from "../auth/grants.ts";

const REALMS = 8;

const realm = z.string().regex(/^[A-Za-z0-9.-]{1,253}$/, "a Kerberos realm, as CORP.EXAMPLE");

/** The part of the configuration that is about log-ins by Kerberos; off where it is absent. */
export const kerberosSchema = z
  .strictObject({
    keytab: z
      .string()
      .min(1)
      .describe(
        "File with the key of the service, not readable by all. Read at each log-in, so that a new key needs no restart.",
      ),
    service: z
      .string()
      .regex(/^HTTP\/[A-Za-z0-9.-]{1,253}@[A-Za-z0-9.-]{1,253}$/, "HTTP/host.name@REALM")
      .describe("Its principal: `HTTP/` and the name by which browsers know the bridge, `@` and the realm."),
    realms: z
      .array(
        z.strictObject({
          realm: realm.describe("Who has a ticket of it is let in. Large and small letters differ."),
          directory: policyId.describe("By name, the directory of that very realm, in which its people are looked up."),
        }),
      )
      .min(1)
      .max(REALMS)
      .refine((all) => new Set(all.map((one) => one.realm)).size === all.length, "two of them are the same realm")
      .describe("Tickets of other realms are refused."),
  })
  .optional()
  .describe(
    "Log-in at the pages without a password, for whoever is logged in at a computer of the domain (SPNEGO). Off where it is absent.",
  );

export type KerberosSettings = NonNullable<z.output<typeof kerberosSchema>>;
