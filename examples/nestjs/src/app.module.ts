import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { TypeOrmModule } from '@nestjs/typeorm'
import { localKms } from 'fieldseal/local-kms'
import { fieldEncryption } from 'fieldseal/typeorm'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { PatientsModule } from './patients/patients.module.js'
import { EncryptionKey } from './tenancy/encryptionKey.entity.js'
import { FieldsealFilter } from './tenancy/fieldseal.filter.js'
import { TenantMiddleware } from './tenancy/tenant.middleware.js'

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'postgres',
        url: process.env.DATABASE_URL ?? 'postgresql://localhost/clinic',
        autoLoadEntities: true,
        synchronize: process.env.NODE_ENV !== 'production',
      }),
      dataSourceFactory: async (options) => encryptingSource(options!),
    }),
    TypeOrmModule.forFeature([EncryptionKey]),
    PatientsModule,
  ],
  providers: [{ provide: APP_FILTER, useClass: FieldsealFilter }],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(TenantMiddleware).forRoutes('{*path}')
  }
}

/** Nest initialises it. */
function encryptingSource(options: DataSourceOptions): DataSource {
  return fieldEncryption(new DataSource(options), { kms: localKms({ env: 'FIELDSEAL_KEY' }) })
}
