/** Certificates as an operator's own authority makes them, for servers with TLS on this machine. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificates {
  /** The authority that signed the server's; PEM. */
  readonly authorityFile: string;
  /** One that signed nothing. */
  readonly otherAuthorityFile: string;
  /** Of a server that is 127.0.0.1 and localhost; PEM, the key in PKCS #8. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Key and certificate in one PEM, and in one PKCS #12 that `password` opens. */
  readonly bothFile: string;
  readonly storeFile: string;
  readonly password: string;
}

export const noOpenssl = (): string | null =>
  Bun.which("openssl") === null ? "no openssl on PATH: apt-get install openssl" : null;

const PASSWORD = "only-for-tests";

/** For a day, in files of the directory. */
export function makeCertificates(directory: string): Certificates {
  const file = (name: string) => join(directory, name);
  const openssl = (...options: string[]): void => {
    const done = Bun.spawnSync(["openssl", ...options], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    if (done.exitCode !== 0) throw new Error(`openssl ${options[0]}: ${done.stderr.toString()}`);
  };
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const authority = (name: string): void =>
    openssl("req", "-x509", ...curve, "-days", "1", "-subj", `/CN=${name}`, "-keyout", file(`${name}.key`), "-out", file(`${name}.pem`)); // prettier-ignore
  authority("authority");
  authority("other");
  openssl("req", ...curve, "-subj", "/CN=server", "-keyout", file("server.key"), "-out", file("server.request"));
  writeFileSync(file("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const signer = ["-CA", file("authority.pem"), "-CAkey", file("authority.key"), "-CAcreateserial"];
  openssl("x509", "-req", "-days", "1", "-in", file("server.request"), ...signer, "-extfile", file("names"), "-out", file("server.pem")); // prettier-ignore
  const pair = ["-inkey", file("server.key"), "-in", file("server.pem")];
  openssl("pkcs12", "-export", ...pair, "-name", "server", "-passout", `pass:${PASSWORD}`, "-out", file("server.p12"));
  writeFileSync(file("both.pem"), readFileSync(file("server.key"), "utf8") + readFileSync(file("server.pem"), "utf8"));
  return {
    authorityFile: file("authority.pem"),
    otherAuthorityFile: file("other.pem"),
    certificateFile: file("server.pem"),
    keyFile: file("server.key"),
    bothFile: file("both.pem"),
    storeFile: file("server.p12"),
    password: PASSWORD,
  };
}
