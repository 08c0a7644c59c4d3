// Hive Gateway with the Rust query planner.
import { defineConfig } from '@graphql-hive/gateway'
import { unifiedGraphHandler } from '@graphql-hive/router-runtime'

export const gatewayConfig = defineConfig({ unifiedGraphHandler, logging: false })
