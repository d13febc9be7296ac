import type { Role } from "../domain/squad.ts";

/** A side of our own invention, for matches that need nobody's data. Any likeness in the names is chance. */
export interface FictionalSide {
  readonly name: string;
  readonly city: string;
  /** In batting order within each role: one keeper, four batters, three all-rounders, four bowlers. */
  readonly players: Readonly<Record<Role, readonly string[]>>;
  /** Fields for others and never bats or bowls, so he is no part of the squad. */
  readonly substituteFielder: string;
}

export const FICTIONAL_SIDES: readonly FictionalSide[] = [
  {
    name: "Konkan Kites",
    city: "Ratnagiri",
    players: {
      WK: ["Tejas Malwankar"],
      BAT: ["Rudra Phansekar", "Advait Sonkamble", "Nihar Kolatkar", "Omkar Velhekar"],
      AR: ["Sarthak Pednewar", "Kabir Lotlikar", "Joel Nazrekar"],
      BOWL: ["Imtiaz Solkarwala", "Vedant Ghadvi", "Harpal Dhillonwal", "Zubin Katrakwala"],
    },
    substituteFielder: "Mihir Uplekar",
  },
  {
    name: "Deccan Rocketeers",
    city: "Warangal",
    players: {
      WK: ["Sanjit Rallabandi"],
      BAT: ["Aravind Chintalapur", "Faizan Baigpuri", "Kiran Gundlupet", "Lokesh Yernagula"],
      AR: ["Nakul Vempala", "Rehan Quadrivar", "Suhas Bellampalli"],
      BOWL: ["Chetan Maddipatla", "Tarun Jakkampet", "Abid Shaikhpet", "Girish Nallamala"],
    },
    substituteFielder: "Pranav Kodavanti",
  },
  {
    name: "Hooghly Herons",
    city: "Chandannagar",
    players: {
      WK: ["Anirban Chakladar"],
      BAT: ["Debjit Mukhoty", "Soham Bagchipara", "Ritwik Sanyalpara", "Arnab Ghoshdastar"],
      AR: ["Tanmay Lahirikar", "Irfan Mollapur", "Koustav Pramanipur"],
      BOWL: ["Subir Haldarpara", "Nabendu Maitykar", "Jyotir Biswalia", "Dipan Tarafgram"],
    },
    substituteFielder: "Partho Kundugram",
  },
  {
    name: "Aravalli Panthers",
    city: "Udaipur",
    players: {
      WK: ["Devraj Solankhia"],
      BAT: ["Mayur Rathorewal", "Gurtej Sandhanwal", "Himmat Deorajia", "Ansh Bhatiwara"],
      AR: ["Lakshit Choudhria", "Sameer Qureshia", "Bhavik Meenawat"],
      BOWL: ["Naresh Gurjaria", "Pritam Jakharwal", "Ravish Khandelia", "Waseem Rangrezi"],
    },
    substituteFielder: "Tushar Bishnoiwal",
  },
];
