// What Azure asked for the meters that a stack runs up, each with its region and the day on which it was read: figures of Azure's Retail Prices API
// (https://prices.azure.com/api/retail/prices), pay as you go, in US dollars, as they were published by projects that had asked it. Nobody asks it here.

/** One meter's price, where and when. */
export interface Price {
  readonly dollars: number;
  readonly region: string;
  readonly readOn: string;
}

const eastUs2 = (dollars: number): Price => ({ dollars, region: "eastus2", readOn: "2026-10-05" });
const westUs2 = (dollars: number, readOn: string): Price => ({ dollars, region: "westus2", readOn });

/** The table. Regions differ: for a busy second of a vCPU, West US 2 asked 0.000034 on 2026-09-19. What is not here was not found, and is not guessed. */
export const prices = {
  vcpuBusySecond: eastUs2(0.000024),
  vcpuIdleSecond: eastUs2(0.000003),
  /** The same, busy or idle. */
  gibSecond: eastUs2(0.000003),
  /** Standard, with 100 GB of images. */
  registryDay: westUs2(0.6666, "2026-04-30"),
  databaseGbMonth: eastUs2(0.115),
  /** By the server's size, as ballast:databaseSku names it. */
  databaseHour: { Standard_B1ms: eastUs2(0.017), Standard_D2ds_v5: westUs2(0.178, "2026-09-19") } as Readonly<
    Record<string, Price>
  >,
} as const;
