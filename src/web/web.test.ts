import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import type { MatchId } from "../domain/ids.ts";
import { formatPaise, rupees } from "../domain/money.ts";
import { buildWeb } from "./build.ts";
import { Stage } from "./testing/stage.ts";
import { pointsText } from "./words.ts";
import { noBrowser, openBrowser, Visitor } from "./testing/visitor.ts";

/** A whole match with four pictures of every screen; most of it is the browser's work. */
const TIMEOUT_MS = 300_000;
const BOTS = 12;

if (noBrowser !== null) console.log(`web app in a browser: skipped, ${noBrowser}`);

describe.skipIf(noBrowser !== null)("the web app in a browser", () => {
  let browser: Browser;
  const stages: Stage[] = [];

  beforeAll(async () => {
    await buildWeb();
    browser = await openBrowser();
  }, TIMEOUT_MS);

  afterAll(async () => {
    await browser?.close();
    for (const stage of stages) await stage.close();
  }, TIMEOUT_MS);

  const openStage = async (seed: number): Promise<Stage> => {
    const stage = await Stage.open(seed);
    stages.push(stage);
    return stage;
  };

  test(
    "a visitor builds a team, joins, watches the rank through a restart, and finds the prize in the wallet",
    async () => {
      const stage = await openStage(11);
      const match = await stage.openMatch();
      // Every entry wins, so that whatever team is drawn finds a prize.
      const prizes = [
        { fromRank: 1, toRank: 1, amountPaise: rupees(5_000) },
        { fromRank: 2, toRank: BOTS + 1, amountPaise: rupees(250) },
      ];
      const mega = await stage.openContest(match, { prizes, prizePoolPaise: rupees(5_000 + 250 * BOTS) });
      await stage.openContest(match, { kind: "free", name: "Practice", entryFeePaise: rupees(0) });
      await stage.openBots(BOTS, match, [mega]);

      const visitor = await Visitor.open(browser, stage.url);
      const { page } = visitor;
      const faults: string[] = [];
      await page.goto("/");
      await page.getByTestId("match-card").waitFor();
      await page.getByRole("button", { name: "Play as demo user" }).waitFor();
      faults.push(...(await visitor.inspect("01-matches")));
      await page.getByRole("link", { name: "Log in" }).click();
      await page.getByLabel("Password").waitFor();
      faults.push(...(await visitor.inspect("02-login")));
      await visitor.playAsDemoUser();
      await page.getByTestId("match-card").click();

      await page.getByRole("button", { name: "Join Mega Contest, ₹49" }).waitFor();
      faults.push(...(await visitor.inspect("03-contests")));
      await page.getByRole("button", { name: "Free", exact: true }).click();
      expect(await page.locator(".contest-card").count()).toBe(1);
      await page.getByRole("button", { name: "All", exact: true }).click();

      await page.getByRole("link", { name: "Make your first team" }).click();
      await page.locator(".player-pick").first().click();
      expect(await visitor.text("picked")).toBe("1/11");
      expect(Number(await visitor.text("credits-left"))).toBeLessThan(100);
      await page.getByRole("button", { name: "Save team" }).click();
      // What the node would say is said without asking it.
      await page.getByText("A team has 11 players, this one 1.").waitFor();
      await page.getByText("Choose a captain.").waitFor();
      await page.getByRole("button", { name: "Complete for me" }).click();
      await page.getByText("A legal team.").waitFor();
      expect(await visitor.text("picked")).toBe("11/11");
      faults.push(...(await visitor.inspect("04-team")));
      await page.getByRole("button", { name: "Save team" }).click();
      await page.getByRole("link", { name: "Edit team T1" }).waitFor();

      await page.getByRole("button", { name: "Join Mega Contest, ₹49" }).click();
      await page.getByRole("button", { name: "Pay ₹49 and join" }).waitFor();
      faults.push(...(await visitor.inspect("05-join")));
      await page.getByRole("button", { name: "Pay ₹49 and join" }).click();
      await page.getByTestId("joined").getByText("You are in with T1").waitFor();
      await page.getByTestId("balance").getByText("₹451", { exact: true }).waitFor();
      faults.push(...(await visitor.inspect("06-contest")));

      await stage.lock(match);
      await page.getByTestId("own-rank").waitFor({ state: "attached" });
      const before = { rank: await visitor.text("own-rank"), score: await visitor.text("own-score") };
      expect(before).toEqual({ rank: "1", score: "0" });
      const ranksSeen = await visitor.collect("own-rank");
      await stage.play(match, 60);
      expect(await visitor.changed("own-score", before.score)).not.toBe("0");
      await page.locator(".ball").nth(20).waitFor();
      expect(await page.locator(".board-row").count()).toBeGreaterThanOrEqual(10);

      await stage.node.kill();
      await page.getByText("Reconnecting…").waitFor();
      await stage.node.start();
      await page.locator("[data-testid=connection][data-state=open]").waitFor({ state: "attached" });
      const atRestart = await visitor.text("own-score");
      await stage.play(match, 70);
      await visitor.changed("own-score", atRestart);
      faults.push(...(await visitor.inspect("07-live")));
      expect(Number(await page.getByTestId("rank-chart").getAttribute("data-points"))).toBeGreaterThan(2);

      await page.locator("button.token").first().click();
      await page.locator(".breakdown tfoot").waitFor();
      faults.push(...(await visitor.inspect("08-player")));
      await page.keyboard.press("Escape");
      await page.locator(".board-row").first().click();
      await page.locator("dialog .token").first().waitFor();
      faults.push(...(await visitor.inspect("09-other-team")));
      await page.keyboard.press("Escape");

      const admin = await Visitor.open(browser, stage.url);
      await admin.page.goto("/");
      await admin.page.getByRole("button", { name: "demo admin" }).click();
      await admin.page.getByRole("link", { name: "Admin", exact: true }).click();
      await admin.page.locator(".admin-row").first().click();
      await stage.play(match, stage.eventCount);
      await admin.page.getByTestId("feed-state").getByText("review").waitFor();
      faults.push(...(await admin.inspect("10-admin")));
      await admin.page.getByRole("button", { name: "Approve the result" }).click();
      await admin.page.getByTestId("feed-state").getByText("settled").waitFor();
      await admin.page.getByRole("button", { name: "Release the prizes" }).click();
      await admin.page.getByText("1 contest paid, 1 refunded.").waitFor();

      await page.getByText("You won").waitFor();
      const board = await stage.admin.page(mega, 1, BOTS + 1);
      const name = await visitor.text("who");
      const own = board.ok ? board.value.rows.find(({ userName }) => userName === name)! : null;
      expect(await visitor.text("own-rank")).toBe(String(own!.rank));
      expect(await visitor.text("own-score")).toBe(pointsText(own!.scoreQp));
      expect((await ranksSeen()).length).toBeGreaterThan(1);
      const won = Number((await visitor.text("own-prize")).replaceAll(/[₹,]/g, ""));
      expect(won).toBeGreaterThanOrEqual(250);
      const purse = formatPaise(rupees(451 + won));
      await page.getByTestId("balance").getByText(purse, { exact: true }).waitFor();
      faults.push(...(await visitor.inspect("11-final")));
      await page.getByRole("link", { name: "My contests" }).first().click();
      await page.locator(".mine-row b").first().waitFor();
      faults.push(...(await visitor.inspect("12-my-contests")));
      await page.getByRole("link", { name: "Wallet" }).first().click();
      await page.locator(".ledger").getByText("Prize").waitFor();
      await page.getByLabel("Withdraw").getByLabel("Amount in ₹").fill("51");
      await page.getByRole("button", { name: "Withdraw" }).click();
      await page.locator(".ledger").getByText("Withdrawal").first().waitFor();
      faults.push(...(await visitor.inspect("13-wallet")));

      expect(faults).toEqual([]);
      expect([...visitor.complaints, ...admin.complaints]).toEqual([]);
      await visitor.close();
      await admin.close();
    },
    TIMEOUT_MS,
  );

  test(
    "without a mouse: a team is picked, led, saved and entered by keys alone",
    async () => {
      const stage = await openStage(12);
      const match = await stage.openMatch();
      await stage.openContest(match);
      const visitor = await Visitor.open(browser, stage.url);
      const { page } = visitor;
      await page.goto("/");
      await page.getByRole("button", { name: "Play as demo user" }).waitFor();
      await visitor.tabTo("Play as demo user");
      await page.keyboard.press("Enter");
      await page.getByTestId("balance").getByText("₹500", { exact: true }).waitFor();
      await visitor.tabTo(new RegExp(stage.game.facts.sides[0]));
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "Make your first team" }).waitFor();
      // The new screen's heading has the focus, so the first Tab is within it.
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
      await visitor.tabTo("Make your first team");
      await page.keyboard.press("Enter");
      await page.locator(".player-pick").first().waitFor();

      const draft = stage.draft(3);
      for (const role of ["WK", "BAT", "AR", "BOWL"]) {
        const names = stage.game.squad.players.filter(
          (player) => player.role === role && draft.players.includes(player.id),
        );
        await visitor.tabTo(new RegExp(`^${role} \\d`), role === "WK" ? "Tab" : "Shift+Tab");
        await page.keyboard.press("Enter");
        const wanted = new Set(names.map(({ name }) => name));
        for (const shown of await page.locator(".player-name").allInnerTexts()) {
          if (!wanted.has(shown)) continue;
          const { id } = names.find(({ name }) => name === shown)!;
          await visitor.tabTo(new RegExp(`^\\S{1,4}${shown}`));
          await page.keyboard.press("Space");
          const lead = id === draft.captain ? "C, captain" : id === draft.viceCaptain ? "VC, vice-captain" : null;
          if (lead === null) continue;
          await visitor.tabTo(`${lead}: ${shown}`);
          await page.keyboard.press("Space");
        }
      }
      await page.getByText("A legal team.").waitFor();
      await visitor.tabTo("Save team");
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "Edit team T1" }).waitFor();

      await visitor.tabTo("Join Mega Contest, ₹49");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      // By its element: a dialog that is closed but not yet gone has no role.
      await page.locator("dialog").waitFor({ state: "detached" });
      expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(
        "Join Mega Contest, ₹49",
      );
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await visitor.tabTo("Pay ₹49 and join");
      await page.keyboard.press("Enter");
      await page.getByTestId("joined").getByText("You are in with T1").waitFor();
      expect(visitor.complaints).toEqual([]);
      await visitor.close();
    },
    TIMEOUT_MS,
  );

  test(
    "hostile names are text, and the policy finds nothing to forbid",
    async () => {
      const stage = await openStage(13);
      const side = `<img src=x onerror="alert(1)">`;
      const name = `</script><script>alert("contest")</script>`;
      const match = await stage.openMatch({ sides: [side, `"><svg onload=alert(2)>`], name: side });
      await stage.openContest(match, { name });
      const visitor = await Visitor.open(browser, stage.url);
      const { page } = visitor;
      await page.goto("/");
      await page.getByText(side, { exact: true }).first().waitFor();
      await page.getByTestId("match-card").click();
      await page.getByText(name, { exact: true }).first().waitFor();
      expect(await page.locator("img, main script, svg[onload]").count()).toBe(0);
      // What is addressed to another page of ours stays there; `then` leads nowhere else.
      await page.goto("/login?then=https://example.org/");
      await visitor.playAsDemoUser();
      await page.waitForURL(`${stage.url}/`);
      expect(visitor.complaints).toEqual([]);

      const response = await fetch(stage.url);
      const policy = response.headers.get("content-security-policy")!;
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
      const html = await response.text();
      expect(html).not.toMatch(/<script(?![^>]* src=)|\sstyle=|\son\w+=|https?:/);
      const [asset] = /\/assets\/main-[\w-]+\.js/.exec(html)!;
      const script = await fetch(stage.url + asset);
      expect(script.headers.get("cache-control")).toContain("immutable");
      expect(script.headers.get("content-type")).toContain("text/javascript");
      const etag = response.headers.get("etag")!;
      expect((await fetch(stage.url, { headers: { "if-none-match": etag } })).status).toBe(304);
      expect((await fetch(`${stage.url}/assets/../serve.ts`)).status).toBe(404);
      expect((await fetch(`${stage.url}/no/such/screen`)).status).toBe(404);
      await visitor.close();
    },
    TIMEOUT_MS,
  );

  test(
    "an administrator creates a match and contests, cancels, and abandons; others see the door",
    async () => {
      const stage = await openStage(14);
      const visitor = await Visitor.open(browser, stage.url);
      const { page } = visitor;
      await page.goto("/admin");
      await page.getByText("This is for administrators.").waitFor();
      await page.goto("/");
      await page.getByRole("button", { name: "demo admin" }).click();
      await page.getByRole("link", { name: "Admin", exact: true }).click();
      await page.getByLabel("Seed").fill("77");
      await page.getByRole("button", { name: "Generate two sides" }).click();
      await page.getByRole("button", { name: "Create the match" }).waitFor();
      expect(await visitor.inspect("14-admin-new")).toEqual([]);
      await page.getByRole("button", { name: "Create the match" }).click();

      await page.getByLabel("Name").fill("Grand Final");
      await page.getByLabel("Prizes, a line each").fill("1 = 900\n2 = oops");
      await page.getByRole("button", { name: "Open the contest" }).click();
      await page.getByText("Line 2: write").waitFor();
      await page.getByLabel("Prizes, a line each").fill("1 = 900\n2-3 = 50");
      await page.getByRole("button", { name: "Open the contest" }).click();
      await page.getByRole("button", { name: "Cancel Grand Final" }).click();
      await page.getByRole("button", { name: "Cancel the contest" }).click();
      await page.getByText("Mega · cancelled · 0/10,000 · ₹1,000").waitFor();
      expect(await visitor.inspect("15-admin-match")).toEqual([]);
      await page.getByRole("button", { name: "Abandon the match" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Abandon the match" }).click();
      await page.getByTestId("feed-state").getByText("abandoned").waitFor();

      await page.getByRole("link", { name: "Administration" }).click();
      await page.getByRole("button", { name: "By hand" }).click();
      await page.getByLabel("First side").fill("Reds");
      await page.getByLabel("Second side").fill("Blues");
      const squad = (number: number) =>
        `Player ${number}, ${1 + (number % 2)}, ${["WK", "BAT", "AR", "BOWL"][number % 4]}, 8.5`;
      await page
        .getByLabel("Squad, a line each")
        .fill(Array.from({ length: 22 }, (_, index) => squad(index)).join("\n"));
      await page.getByRole("button", { name: "Check it" }).click();
      await page.getByRole("button", { name: "Create the match" }).click();
      await page.getByText("22 players").waitFor();
      await page.goto("/admin");
      await page.getByRole("button", { name: "Cricsheet" }).click();
      await page.getByLabel("or its text").fill("{}");
      await page.getByRole("button", { name: "Read it" }).click();
      await page.getByText("Not a Cricsheet match").waitFor();
      await page.getByLabel("File", { exact: true }).setInputFiles({
        name: "match.json",
        mimeType: "application/json",
        buffer: Buffer.from(stage.file),
      });
      await page.getByRole("button", { name: "Create the match" }).click();
      await page.getByText("Mega · open").waitFor({ state: "detached" });
      await page.getByTestId("feed-state").getByText("upcoming").waitFor();
      const matches = await stage.admin.matches();
      expect(matches.ok && matches.value.map(({ state }) => state).sort()).toEqual([
        "abandoned",
        "upcoming",
        "upcoming",
      ]);
      expect(visitor.complaints).toEqual([]);
      await visitor.close();
    },
    TIMEOUT_MS,
  );

  test(
    "an invite code opens a private contest, and money that is short is added on the way in",
    async () => {
      const stage = await openStage(15);
      const match: MatchId = await stage.openMatch();
      const terms = { kind: "private", name: "Friends", entryFeePaise: rupees(700), inviteCode: "PAVILION" } as const;
      const contest = await stage.openContest(match, terms);
      const visitor = await Visitor.open(browser, stage.url);
      const { page } = visitor;
      // As a friend would send it.
      await page.goto(`/contests/${contest}?join=1&code=PAVILION`);
      await page.getByRole("link", { name: "Log in" }).click();
      await visitor.playAsDemoUser();
      await page.getByRole("button", { name: "Make a team" }).click();
      await page.getByRole("button", { name: "Pick for me" }).click();
      await page.getByRole("button", { name: "Save team" }).click();
      await page.getByText("You are ₹200 short.").waitFor();
      await page.getByRole("button", { name: "Add ₹200 of play money" }).click();
      await page.getByRole("button", { name: "Pay ₹700 and join" }).click();
      await page.getByTestId("joined").getByText("You are in with T1").waitFor();

      await page.getByRole("link", { name: "‹ All contests" }).click();
      await page.getByLabel("Have an invite code?").fill("WRONG");
      await page.getByRole("button", { name: "Find contest" }).click();
      await page.getByText("The invite code is missing or wrong.").waitFor();
      expect(await page.locator(".contest-card").count()).toBe(0);
      expect(visitor.complaints).toEqual([]);
      await visitor.close();
    },
    TIMEOUT_MS,
  );
});
