/** Two days of twelve peers with all troubles, under a quarter of the seeds: `test/simulation/delivery.test.ts` has the short version. */
import { liveTwoDays } from '../support/delivery/two-days.ts';

liveTwoDays(3, 4);
