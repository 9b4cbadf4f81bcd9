import { describeAdmin } from '@bento-bus/conformance';
import { describe, it } from '@jest/globals';
import { inProcessAdmin } from '../../test/kit-admin.ts';

describeAdmin({ describe, it }, inProcessAdmin);
