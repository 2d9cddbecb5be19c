import { z } from "zod";
import { isMailAddress } from "../auth/mail-address.ts";

const PORTS = { starttls: 587, tls: 465, none: 25 } as const;

/** The server that mail is given to. */
export const mailSchema = z
  .strictObject({
    host: z.string().min(1).max(255).describe("Name or address of the mail server."),
    port: z.int().min(1).max(65_535).optional().describe("Default: 587, for `tls` 465, for `none` 25."),
    encryption: z
      .enum(["starttls", "tls", "none"])
      .default("starttls")
      .describe("`starttls` is insisted on. With `none`, codes can be read on the way; no password is sent then."),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the certificates (PEM) of the server's authority. Without it, those that this machine trusts.",
      ),
    user: z.string().min(1).max(256).optional().describe("Whom the server knows us as; nobody if absent."),
    passwordFile: z.string().min(1).optional().describe("File with the password of `user`, not readable by all."),
    from: z
      .string()
      .refine(isMailAddress, "not an e-mail address")
      .describe("Who the mail is from: viaduct@example.org."),
  })
  .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
    message: "give both user and passwordFile, or neither",
  })
  .refine(({ encryption, user }) => encryption !== "none" || user === undefined, {
    message: "no password is sent without encryption: take starttls or tls, or leave user out",
  });

export type MailSettings = z.output<typeof mailSchema>;

export function mailPortOf({ port, encryption }: MailSettings): number {
  return port ?? PORTS[encryption];
}
