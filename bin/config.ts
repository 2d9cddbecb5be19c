import { systemClock } from "../base/clock.ts";
import { examineNtlm } from "../bridge/directory/examine-ntlm.ts";
import { workingGssapi } from "../bridge/directory/kerberos.ts";
import { checkCertificates } from "../bridge/open-certificates.ts";
import { checkKeysFiles } from "../bridge/open-jwt.ts";
import { settingsJsonSchema } from "../bridge/settings.ts";
import { readSettings } from "./settings-file.ts";

const EXAMPLE = `# Viaduct's configuration. \`viaduct config check FILE\` says what is wrong with it.

# Accounts, cameras, keys, certificate and audit log.
dataFolder: /var/lib/viaduct

# The network that the cameras are on: an own address there, or the network itself.
cameraSide:
  interfaces: [10.1.0.0/24]

# Own addresses on the network of those who watch. Nothing else is bound.
clientSide:
  addresses: [10.2.0.5]
  # names: [viaduct.example.org]
  web: { port: 8443 }
  rtsps: { port: 8322 }
  # RTP over UDP for clients of RTSPS, encrypted too:
  # srtp: { enabled: true }
  # Without encryption, for clients that know no other way:
  # rtsp: { enabled: true, port: 8554 }
  # udp: { enabled: true, ports: 50000-50999 }
  # multicast: { enabled: true, groups: 239.192.0.0/16 }
  # onvifHttp: { enabled: true, port: 8080 }
  # A device for each camera besides, for NVRs that take a device for a camera:
  # cameraDevices: { enabled: true, discovery: true }
  # Send events to systems that subscribe to them, and to nobody else:
  # notifications: { to: [10.2.0.9] }
  # Let ONVIF clients find the bridge:
  # discovery: { enabled: true }

recording:
  maxAgeDays: 30
  maxGigabytes: 500

# Who must have a second factor, besides whoever has a role that demands it: administrators, or everybody.
# accounts: { secondFactor: administrators }

# A server for e-mail: people may then have their codes to log in sent to them. \`viaduct mail test\` tries it.
# mail:
#   host: mail.example.org
#   user: viaduct
#   passwordFile: mail-password
#   from: viaduct@example.org

# A gateway for SMS, which is weaker, and costs money. \`viaduct sms test\` tries it.
# sms:
#   url: https://sms.example.org/messages
#   headers: { Authorization: "Bearer {secret}" }
#   secretFile: sms-secret
#   json: { to: "{to}", text: "{text}" }
#   countries: ["+45"]

# People of Active Directory (or another LDAP directory) may log in, with roles by their groups:
# directory:
#   - name: corp
#     servers: [dc1.corp.example, dc2.corp.example]   # or domain: corp.example, for those that DNS names
#     ca: corp-ca.pem
#     account: svc-viaduct@corp.example
#     passwordFile: directory-password                # or kept sealed: viaduct directory password corp
#     base: DC=corp,DC=example
#     roles:
#       - { group: Camera Guards, roles: [guards] }
# \`viaduct directory test --config FILE\` says stage by stage what of it works.
# Whoever is logged in at a computer of that domain needs no password here:
# kerberos:
#   keytab: http.keytab
#   service: HTTP/viaduct.corp.example@CORP.EXAMPLE
#   realms: [{ realm: CORP.EXAMPLE, directory: corp }]
# Weaker, by winbind, for computers of the domain that get no ticket. \`viaduct config check FILE\` tries it.
# ntlm:
#   domains: [{ domain: CORP, directory: corp }]

# Programs come by JSON Web Tokens of an issuer, for accounts that are here (API, ONVIF, RTSP, inside TLS alone):
# jwt:
#   issuers:
#     - name: site
#       issuer: https://id.example.org/realms/site
#       audiences: [viaduct]
#       keysUrl: https://id.example.org/realms/site/protocol/openid-connect/certs
#       interfaces: [api, onvif]
`;

export function printExample(): void {
  process.stdout.write(EXAMPLE);
}

export async function checkConfig(file: string): Promise<void> {
  const settings = await readSettings(file);
  const { kerberos, ntlm } = settings;
  if (kerberos !== undefined) await workingGssapi(kerberos);
  if (ntlm !== undefined) await examineNtlm(ntlm, systemClock);
  await checkKeysFiles(settings);
  await checkCertificates(settings);
  process.stdout.write(`${file === "-" ? "It" : file} is right.\n`);
}

export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(settingsJsonSchema(), undefined, 2)}\n`);
}
