import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConfig } from "../src/config.ts";
import { type Node, startNode } from "../src/main.ts";

const here = (...path: string[]): string => join(import.meta.dir, ...path);
const textOf = (...path: string[]): string => readFileSync(here(...path), "utf8");
const folder = mkdtempSync(join(tmpdir(), "powerplay-ops-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: readonly string[], cwd = here("..")): { status: number | null; said: string } {
  const done = Bun.spawnSync([...command], { cwd, stdin: "ignore" });
  return { status: done.exitCode, said: done.stdout.toString() + done.stderr.toString() };
}

function installed(name: string, remedy: string): boolean {
  const found = Bun.which(name, { PATH: `${process.env["PATH"]}:/usr/sbin` }) !== null;
  if (!found) console.log(`ops: ${name} is not installed, what it checks is skipped: ${remedy}`);
  return found;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(textOf("grafana", "dashboard.json")) as { readonly panels: readonly Panel[] };
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const metricsIn = (text: string): Set<string> => new Set(text.match(/\bpowerplay_\w+/g));

describe("what is looked at", () => {
  const config = testConfig();
  /** Type by name. */
  const exposed = new Map<string, string>();
  let node: Node;
  beforeAll(async () => {
    node = await startNode(config, { log: () => undefined });
    const text = await (await fetch(`${node.opsUrl}/metrics`)).text();
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) exposed.set(name!, type!);
  });
  afterAll(async () => {
    await node.stop();
    rmSync(config.dataDir, { recursive: true, force: true });
  });

  /** Of a histogram, Prometheus asks for the parts. */
  const isExposed = (name: string): boolean => {
    const whole = name.replace(/_(bucket|sum|count)$/, "");
    return exposed.get(whole) === "histogram" ? whole !== name : exposed.has(name);
  };

  test.each<[string, string]>([
    ["dashboard", expressions.join("\n")],
    ["alerts", textOf("prometheus", "alerts.yml")],
    ["alert tests", textOf("prometheus", "alerts.test.yml")],
  ])("the %s names only what a node really exposes", (_name, text) => {
    const names = [...metricsIn(text)];
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((name) => !isExposed(name))).toEqual([]);
  });

  test("everything that a node exposes is on the dashboard", () => {
    const shown = new Set(
      [...metricsIn(expressions.join("\n"))].map((name) => name.replace(/_(bucket|sum|count)$/, "")),
    );
    expect([...exposed.keys()].filter((name) => !shown.has(name))).toEqual([]);
  });

  test("every alert says what it means and what to do", () => {
    const { groups } = Bun.YAML.parse(textOf("prometheus", "alerts.yml")) as {
      groups: { rules: { alert: string; labels: object; annotations: object }[] }[];
    };
    const rules = groups.flatMap(({ rules }) => rules);
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, annotations, labels } of rules) {
      expect([alert, Object.keys(annotations), Object.keys(labels)]).toEqual([
        alert,
        ["summary", "description"],
        ["severity"],
      ]);
    }
  });
});

describe.skipIf(!installed("promtool", "apt-get install prometheus"))("Prometheus", () => {
  test("understands its configuration, every alert and every expression of the dashboard", () => {
    expect(run(["promtool", "check", "config", here("prometheus", "prometheus.yml")])).toMatchObject({ status: 0 });
    const rules = expressions.map((expr, index) => ({
      record: `dashboard:${index}`,
      expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$node", ".*"),
    }));
    const file = join(folder, "dashboard.yml");
    writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const checked = run(["promtool", "check", "rules", file]);
    expect(checked.said).toContain(`SUCCESS: ${expressions.length} rules found`);
  });

  test("raises the alerts when it should, and not before", () => {
    const tested = run(["promtool", "test", "rules", here("prometheus", "alerts.test.yml")]);
    expect(tested.said).toContain("SUCCESS");
    expect(tested.status).toBe(0);
  });
});

describe("the set for Docker", () => {
  const compose = Bun.YAML.parse(textOf("compose.yml")) as {
    services: Record<
      string,
      { image?: string; depends_on?: object; environment?: Record<string, string>; volumes?: string[] }
    >;
    volumes: Record<string, null>;
  };
  const services = Object.entries(compose.services);

  test("pins every version, and mounts only what is there", () => {
    const unpinned = services.filter(
      ([, { image }]) => image !== "powerplay" && !/:(ce-)?v?\d+\.\d+\.\d+/.test(image ?? ""),
    );
    expect(unpinned.filter(([, { image }]) => !/:\d+\.\d+$/.test(image ?? "")).map(([name]) => name)).toEqual([]);
    for (const mount of services.flatMap(([, { volumes = [] }]) => volumes)) {
      const [source] = mount.split(":");
      if (source!.startsWith("./")) expect(readdirSync(here(source!, ".."))).toContain(source!.split("/").at(-1)!);
      else expect(Object.keys(compose.volumes)).toContain(source!);
    }
  });

  test("gives every node all stores, each of which the set has", () => {
    const names = Object.keys(compose.services);
    const nodes = services.filter(([, { image }]) => image === "powerplay");
    expect(nodes.map(([name]) => name)).toEqual(["a1", "a2", "b1"]);
    for (const [, { depends_on = {}, environment = {} }] of nodes) {
      const urls = Object.entries(environment).filter(([name]) => name.endsWith("_URL"));
      expect(urls.map(([name]) => name).toSorted()).toEqual([
        "CATALOG_URL",
        "EVENT_LOG_URL",
        "HOT_STORE_URL",
        "LEDGER_URL",
        "TEAM_STORE_URL",
      ]);
      const hosts = urls.map(([, url]) => new URL(url).hostname);
      expect(hosts.filter((host) => !names.includes(host))).toEqual([]);
      expect(Object.keys(depends_on).toSorted()).toEqual(hosts.toSorted());
    }
  });

  test("has the versions that the tests run against", () => {
    for (const [name, image] of [
      ["kafka", "apache/kafka"],
      ["cassandra", "cassandra"],
    ] as const) {
      const version = /<version>(\d[^<]*)<\/version>\s*<\/dependency>/.exec(textOf("services", `pom-${name}.xml`))![1];
      expect(compose.services[name]!.image).toBe(`${image}:${version}`);
    }
  });

  test("has the balancer's configuration as it is written for its nodes", () => {
    const written = run([process.execPath, here("haproxy", "write.ts"), here("docker", "cluster.json")]);
    expect(written.said).toBe(textOf("docker", "haproxy.cfg"));
  });
});

const unit = "powerplay@.service";
test.skipIf(!installed("systemd-analyze", "apt-get install systemd"))("systemd understands the unit", () => {
  // What it starts is not on this machine.
  const file = join(folder, unit.replace("@", "@3000"));
  writeFileSync(file, textOf("systemd", unit).replace("/usr/local/bin/powerplay", process.execPath));
  expect(run(["systemd-analyze", "verify", file])).toEqual({ status: 0, said: "" });
});

describe.skipIf(!installed("terraform", "see developer.hashicorp.com/terraform/install"))("Terraform", () => {
  test("finds the module's files well formed", () => {
    expect(run(["terraform", `-chdir=${here("terraform")}`, "fmt", "-check", "-recursive", "-diff"]).status).toBe(0);
  });

  const plugins = process.env["TERRAFORM_PLUGIN_DIR"];
  if (plugins === undefined)
    console.log("ops: the NLB is not planned: TERRAFORM_PLUGIN_DIR names no folder with its provider");
  test.skipIf(plugins === undefined)("plans the NLB as its tests say", () => {
    cpSync(here("terraform", "nlb"), join(folder, "nlb"), { recursive: true });
    const terraform = (...words: string[]) => run(["terraform", ...words, "-no-color"], join(folder, "nlb"));
    expect(terraform("init", "-backend=false", `-plugin-dir=${plugins}`).status).toBe(0);
    expect(terraform("validate").said).toContain("The configuration is valid");
    expect(terraform("test").said).toMatch(/Success! \d+ passed, 0 failed/);
  });
});
